import { setPriority } from 'node:os';
import { DataType, load, open } from 'ffi-rs';

/** The embedded server's process: `node server-child.ts <libchdb> <argument>...`, started by server.ts. */
const [libchdb, ...args] = process.argv.slice(2) as [string, ...string[]];

// Standard input is a pipe that the supervisor never writes to. It ends when the supervisor dies, of any cause.
process.stdin.resume().once('close', die);
// A signal to the whole tree must not stop the server before the processes that still write to it: the supervisor does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

// Inserts and merges can wait for the gateway's answers; the server's threads inherit it.
setPriority(10);

open({ library: 'libchdb', path: libchdb });
const argv = ['clickhouse-local', ...args];
// The main function of clickhouse-local. It blocks its thread as long as the server runs, so it gets its own.
const result = await load({
  library: 'libchdb',
  funcName: 'query_stable_v2',
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
  // struct local_result_v2
  retType: {
    buf: DataType.External,
    len: DataType.U64,
    vec: DataType.External,
    elapsed: DataType.Double,
    rows: DataType.U64,
    bytes: DataType.U64,
    error: DataType.String,
  },
  runInNewThread: true,
});
process.stderr.write(`${result.error}\n`, die);

/** A regular exit would run the library's exit handlers under its threads, and crash. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
