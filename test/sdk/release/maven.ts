import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expectFiles, type Package, shell } from './package.ts';

const CHECKSUMS = ['md5', 'sha1', 'sha256', 'sha512'];
const MAVEN = 'mvn -q -B -Dstyle.color=never';
/** The path of the artifact in a repository. */
const PLACE = 'io/clickmesh/clickmesh-client';

const PROGRAM = `
import io.clickmesh.ClickmeshClient;
import io.clickmesh.Events;

public class Program {
  public static void main(String[] args) {
    var client = ClickmeshClient.inMemory();
    client.track(Events.click().userId("u").adId("a").campaignId("c").source("s").build());
    client.close();
    if (client.counters().sent() != 1) throw new AssertionError(client.counters());
  }
}
`;

const bundleOf = (version: string) => `clickmesh-client-${version}-bundle.zip`;

/** A bundle as Maven Central takes it, but for the signatures, whose key is not here. */
export const maven: Package = {
  name: 'maven',
  tools: ['mvn', 'java', 'jar'],
  async build(out, version) {
    await shell(`${MAVEN} -f gen/java/pom.xml -Prelease -DskipTests clean package`);
    const folder = join(out, PLACE, version);
    mkdirSync(folder, { recursive: true });
    const name = `clickmesh-client-${version}`;
    for (const ending of ['.jar', '-sources.jar', '-javadoc.jar']) {
      copyFileSync(`gen/java/target/${name}${ending}`, join(folder, name + ending));
    }
    copyFileSync('gen/java/pom.xml', join(folder, `${name}.pom`));
    for (const file of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, file));
      for (const kind of CHECKSUMS)
        writeFileSync(join(folder, `${file}.${kind}`), createHash(kind).update(bytes).digest('hex'));
    }
    await shell(`jar --create --no-manifest --file ${bundleOf(version)} io && rm -r io`, out);
  },
  async check(out, version, scratch) {
    await shell(`jar --extract --file ${resolve(out, bundleOf(version))}`, scratch);
    const folder = resolve(scratch, PLACE, version);
    const name = `clickmesh-client-${version}`;
    const list = async (ending: string) =>
      (await shell(`jar --list --file ${name}${ending}`, folder))
        .trim()
        .split('\n')
        .filter((file) => !file.endsWith('/'));
    const meta = /^META-INF\/(?:MANIFEST\.MF|LICENSE|maven\/io\.clickmesh\/clickmesh-client\/pom\.(?:xml|properties))$/;
    const needed = ['META-INF/LICENSE'];
    expectFiles(await list('.jar'), [/^io\/clickmesh\/(?:v1\/)?[\w$]+\.class$/, meta], needed);
    expectFiles(await list('-sources.jar'), [/^io\/clickmesh\/(?:v1\/)?\w+\.java$/, meta], needed);
    const pages = await list('-javadoc.jar');
    if (!pages.includes('io/clickmesh/ClickmeshClient.html')) throw new Error('the javadoc has no ClickmeshClient');
    for (const kind of CHECKSUMS) {
      const sum = readFileSync(join(folder, `${name}.jar.${kind}`), 'utf8');
      await shell(`echo "${sum}  ${name}.jar" | ${kind}sum --check --strict`, folder);
    }
    writeFileSync(join(scratch, 'Program.java'), PROGRAM);
    await shell(`${MAVEN} -f ${folder}/${name}.pom dependency:build-classpath -Dmdep.outputFile=${scratch}/classpath`);
    await shell(`java -cp "${folder}/${name}.jar:$(cat classpath)" Program.java`, scratch);
    return ['the Maven bundle is not signed: there is no key here'];
  },
  publish: (version) =>
    `sign what is in ${bundleOf(version)} (gpg --armor --detach-sign), then upload it to Maven Central`,
};
