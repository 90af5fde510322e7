import { z } from 'zod';

/** The text of a number setting that may be 0. An empty text is none, though it converts to 0. */
export const GIVEN_NUMBER = z.string().regex(/\d/, 'must be a number');
