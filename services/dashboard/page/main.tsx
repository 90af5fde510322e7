import { render } from 'preact';
import { askMesh } from './data/mesh.ts';
import { App } from './frame/app.tsx';
import { startTheme } from './state/theme.ts';

startTheme();
askMesh();
render(<App />, document.querySelector('#app')!);
