import type { Change } from '../format/number.ts';

/** Whether more of something is good, bad or neither. */
export type UpIs = 'good' | 'bad' | 'even';

const WHY: Readonly<Record<string, string>> = {
  new: 'nothing counted in the time before',
  unknown: 'nothing to compare with',
};

/** A change, coloured by whether it is good. @param was what it was before, in full */
export function Delta({ of: { way, text }, upIs = 'even', was }: { of: Change; upIs?: UpIs; was?: string }) {
  const tip = WHY[way] ?? (was && `before: ${was}`);
  if (way !== 'up' && way !== 'down') {
    return (
      <span class="d" data-tip={tip}>
        {text}
      </span>
    );
  }
  const goodness = upIs === 'even' ? '' : (upIs === 'good') === (way === 'up') ? 'good' : 'bad';
  return (
    <span class={`d ${goodness}`} data-tip={tip}>
      <i class={`tri ${way === 'down' ? 'dn' : ''}`} />
      <span class="sr">{way} </span>
      {text}
    </span>
  );
}
