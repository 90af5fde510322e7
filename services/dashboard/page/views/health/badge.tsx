import { Icon, type IconName } from '../../parts/icon.tsx';

export type State = 'ready' | 'not ready' | 'stalled' | 'warned' | 'unknown';

const LOOKS: Readonly<Record<State, readonly [className: string, icon: IconName]>> = {
  ready: ['good', 'check'],
  'not ready': ['bad', 'warn'],
  stalled: ['bad', 'warn'],
  warned: ['warn', 'warn'],
  unknown: ['', 'dots'],
};

export function Badge({ state }: { state: State }) {
  const [className, icon] = LOOKS[state];
  return (
    <span class={`tag ${className}`}>
      <Icon name={icon} small />
      {state}
    </span>
  );
}
