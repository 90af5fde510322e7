import { execFileSync } from 'node:child_process';
import { isInstalled, LANGUAGES, type Language } from './languages.ts';

/**
 * Generates the code of every language whose tools are installed from proto/, into `root` with the same paths as in
 * the repository. Returns the folders, each wholly generated, and files.
 */
export function generate(root: string): string[] {
  const languages: Language[] = Object.values(LANGUAGES);
  return languages.filter(isInstalled).flatMap(({ template, generated, installTools }) => {
    installTools?.();
    execFileSync('buf', ['generate', '--template', template, '--output', root], { stdio: 'inherit' });
    return generated;
  });
}
