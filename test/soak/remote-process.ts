import { remoteServer } from '@switchback-ml/controller/command';

/* The remote of a soak, in a process of its own: its memory is looked at, and it can be stopped. */
const [directory = '', port = '0'] = process.argv.slice(2);
// A terminal's Ctrl-C is for whoever started this, who closes the channel when everything else has ended.
process.on('SIGINT', () => {});
const remote = await remoteServer({ directory, port: Number(port), onPush: () => process.send?.('pushed') });
process.once('disconnect', () => void remote.close());
process.send?.({ port: remote.address.port });
