import type { Mesh } from '../data/mesh.ts';
import { modelOf, modelsOf } from '../data/report.ts';
import { Icon } from '../parts/icon.tsx';
import { MODEL_RULES, ModelGlyph } from '../parts/model-name.tsx';
import { change, go, useUrl } from '../state/url.ts';

/** Chooses one model, or those that stand side by side. */
export function ModelMenu({ mesh, close, isMany = false }: { mesh: Mesh; close(): void; isMany?: boolean }) {
  const state = useUrl();
  const shown = isMany ? modelsOf(state, mesh) : [modelOf(state, mesh)];
  function choose(model: string) {
    if (!isMany) {
      change({ model: model === mesh.models[0] ? '' : model });
      close();
      return;
    }
    const left = mesh.models.filter((one) => (one === model) !== shown.includes(one));
    if (left.length > 0) change({ models: left.length === mesh.models.length ? [] : left });
  }
  return (
    <>
      <div class="cap">
        <span>Attribution models</span>
        <span>
          {shown.length} shown here, {mesh.models.length} computed
        </span>
      </div>
      {mesh.models.map((model) => (
        <button
          key={model}
          type="button"
          class={`opt model ${model}`}
          aria-pressed={shown.includes(model)}
          onClick={() => choose(model)}
        >
          <span class="box">
            <Icon name="check" small />
          </span>
          <ModelGlyph model={model} />
          <span>
            {model}
            <small>{MODEL_RULES[model] ?? 'of this mesh'}</small>
          </span>
          {model === mesh.models[0] && <span class="basetag">default</span>}
        </button>
      ))}
      <div class="foot">
        <span>of the mesh's setting MODELS</span>
        {!isMany && (
          <button type="button" class="linkish" onClick={() => go('attribution')}>
            Side by side
          </button>
        )}
      </div>
    </>
  );
}
