import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expectFiles, type Package, shell } from './package.ts';

/** Those that gen/python/pyproject.toml names. */
const PYTHONS = ['3.10', '3.11', '3.12', '3.13'];
const TOOLS = 'build==1.6.1 twine==7.0.0';
const ALLOWED = [/^clickmesh\/(?:v1\/)?[\w.]+\.pyi?$/, /^clickmesh\/py\.typed$/];
const OF_WHEEL = [...ALLOWED, /^clickmesh-[^/]+\.dist-info\/(?:METADATA|WHEEL|RECORD|licenses\/LICENSE)$/];
const OF_SDIST = [...ALLOWED, /^(?:PKG-INFO|README\.md|LICENSE|pyproject\.toml|\.gitignore)$/];
const CODE = ['clickmesh/__init__.py', 'clickmesh/py.typed', 'clickmesh/v1/event_pb2.py'];

/** Tells how many events were sent, of a client without a gateway. */
const PROGRAM = `
from clickmesh import MemoryClient
with MemoryClient() as client:
    client.track('click', user_id='u', ad_id='a', campaign_id='c', source='s')
assert client.counters().sent == 1, client.counters()
`;

export const pypi: Package = {
  name: 'pypi',
  tools: ['python3'],
  async build(out) {
    const venv = resolve(out, 'tools');
    await shell(`python3 -m venv ${venv} && ${venv}/bin/pip install --quiet ${TOOLS}`);
    // The wheel is made of the sdist, which so is known to be whole.
    await shell(`${venv}/bin/python -m build --outdir ${resolve(out)} gen/python`);
    await shell(`${venv}/bin/twine check --strict clickmesh-*.whl clickmesh-*.tar.gz`, out);
    await shell(`rm -r ${venv}`);
  },
  async check(out, version, scratch) {
    const wheel = resolve(out, `clickmesh-${version}-py3-none-any.whl`);
    const ofWheel = await shell(
      `python3 -c 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\\n")' ${wheel}`,
    );
    expectFiles(ofWheel.trim().split('\n'), OF_WHEEL, [...CODE, `clickmesh-${version}.dist-info/licenses/LICENSE`]);
    const ofSdist = await shell(`tar -tzf clickmesh-${version}.tar.gz`, out);
    const files = ofSdist.trim().split('\n');
    expectFiles(
      files.map((file) => file.replace(`clickmesh-${version}/`, '')),
      OF_SDIST,
      [...CODE, 'LICENSE', 'README.md'],
    );
    const missing: string[] = [];
    for (const python of PYTHONS) {
      const command = await commandOf(python);
      if (command === undefined) {
        missing.push(`Python ${python} is not here: the wheel was not tried with it`);
        continue;
      }
      const venv = join(scratch, python);
      await shell(`${command} -m venv ${venv} && ${venv}/bin/pip install --quiet '${wheel}[grpc]' pytest`);
      // Those that need no gateway but what they make themselves.
      const tests = resolve('gen/python/tests');
      await shell(`${venv}/bin/python -c "$PROGRAM"`, scratch, { PROGRAM });
      await shell(`${venv}/bin/pytest -q -p no:cacheprovider ${tests}/test_events.py ${tests}/test_losses.py`, scratch);
    }
    return missing;
  },
  publish: (version) => `twine upload clickmesh-${version}-py3-none-any.whl clickmesh-${version}.tar.gz`,
};

/** The interpreter of a version: on the path, or kept by pyenv. */
async function commandOf(python: string): Promise<string | undefined> {
  const kept = globSync(join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), `versions/${python}.*/bin/python3`));
  for (const command of [`python${python}`, ...kept]) {
    const works = await shell(`${command} --version`).catch(() => undefined);
    if (works !== undefined) return command;
  }
  return undefined;
}
