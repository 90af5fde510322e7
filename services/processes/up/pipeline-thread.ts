import { startTelemetry } from '../../telemetry/start.ts';

// Before the modules that measure.
await startTelemetry('clickmesh');
await import('./pipeline-worker.ts');
