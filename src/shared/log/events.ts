/**
 * All events that a log line may have, with their meaning. `docs/log.md` is generated from this table. The logger
 * imports only its type, so no process loads the texts.
 */
export const logEvents = {
  // The one-process server and the master.
  'server.ready': 'The one-process server accepts connections on this address.',
  'master.starting': 'The master has read its options and starts its first workers.',
  'master.waiting':
    'Workers of a master that was killed still hold this address; the start goes on when they have ended.',
  'master.ready': 'The first workers serve on these addresses.',
  'master.stopping': 'The master was told to stop; `graceful` says whether requests may finish.',
  'master.stopped': 'The master has stopped, with the numbers of connections that ended in each way.',
  'master.failed': 'The master failed with the error that the code and the message name.',
  'master.fallback': 'Something that evy uses is not available here; the message says what is done instead.',
  'option.ignored': 'An option, a variable or a changed value has no effect, for the reason given.',
  'signal.ignored': 'A signal had no effect, for the reason given.',
  'logs.reopened': 'The log files were opened again after USR1.',

  // Reloads, upgrades and scaling.
  'reload.started': 'A reload has started the first worker of this generation.',
  'reload.live': 'All workers of the new generation serve; the bake time is running.',
  'reload.done': 'The new generation has replaced the old one.',
  'reload.failed': 'The new generation did not start; the old one serves on, unchanged.',
  'reload.rolled-back': 'The new generation served badly within the bake time; the old one serves again.',
  'upgrade.started': 'A new master has been started and is to take over.',
  'upgrade.ready': 'The new master serves; this one hands over its connections and ends.',
  'upgrade.failed': 'The new master failed before it served; this one serves on.',
  'scale': 'The wanted number of workers changed.',
  'scale.done': 'There are as many workers as wanted.',
  'scale.failed': 'New workers could not serve; the number of workers is what it was before.',

  // Workers.
  'worker.spawned': 'A worker process was started.',
  'worker.ready': 'A worker has loaded the application and accepts connections.',
  'worker.standby':
    'A worker of the previous generation has stopped accepting and is kept until the bake time is over.',
  'worker.resumed': 'A worker that was on standby accepts connections again.',
  'worker.retiring': 'A worker was told to finish its requests and end, for the reason given.',
  'worker.exit': 'A worker process has ended, with this exit code or signal.',
  'worker.failed': 'A worker ended or gave up before it could serve; the message says why.',
  'worker.crashed': 'An exception that the application did not catch ends this worker.',
  'worker.delayed': 'Workers keep dying, so the next one is started after this delay.',
  'worker.killed': 'The master has killed a worker, for the reason given.',
  'worker.watched': 'The watchdog of a worker runs.',
  'worker.busy': 'The event loop of a worker has been blocked for some time; the stack shows what runs.',
  'worker.recovered': 'The event loop of a worker runs again.',
  'worker.stuck': 'The event loop of a worker was blocked for longer than stuckTimeout; the worker is replaced.',
  'worker.silent':
    'Neither the event loop nor the watchdog of a worker runs: it was stopped, or gets no processor time.',
  'worker.heard': 'A worker that was silent runs again.',
  'worker.garbled': 'The watchdog of a worker sent something that cannot be read.',
  'worker.faulty':
    'A worker sent the master what neither Node nor evy sends, so the application did; it is killed and replaced.',
  'worker.send-refused':
    'The application called `process.send()` with something that Node or evy reserves; it was not sent. Told once for each reason.',
  'worker.unwatched': 'The watchdog of a worker could not be started; the worker serves without it.',
  'worker.fallback':
    'A worker serves without a part of Node that is not available here; the message says what it costs.',
  'worker.orphaned': 'The master of this worker has ended; the worker finishes its requests and ends.',

  // Connections and requests.
  'connection.refused': 'A connection was closed before its first request, for the reason that the code names.',
  'connection.cut': 'A connection was closed in the middle of a response.',
  'connections.moved': 'A worker that ends has passed its connections to other workers.',
  'connections.limited': 'A worker accepts no further connections, since it has no descriptors for them.',
  'connections.resumed': 'A worker has descriptors again and accepts connections.',
  'request.refused': 'A request was answered by the server with an error, for the reason that the code names.',
  'request.cut': 'A request got no complete response.',
  'request.timed-out': 'A request took longer than requestTimeout.',
  'requests.turned-away': 'The limit of the whole server was reached, and this number of requests got 503.',
  'route.quarantined': 'Requests for this route were under way when workers crashed; it gets 503 for a time.',

  // The application.
  'app.failed': 'The application failed while it answered a request.',
  'app.errors': 'The application wrote this line to wsgi.errors.',
  'hook.failed': 'A post hook threw an error or was rejected.',

  // The logs themselves.
  'access-log.failed': 'The access log cannot be written; lines are kept, then dropped, until it can.',
  'access-log.resumed': 'The access log is written again; the line says how many access lines were lost.',
  'access-log.lost': 'Access lines were lost; the line says how many.',
  'log.lost': 'Log lines were lost or left out; the line says how many.',
} as const satisfies Record<string, string>;

export type LogEvent = keyof typeof logEvents;
