// When everything is done and nothing is open any more, jest's process leaves at once. Node 24.21 otherwise takes its environment
// apart first, and after hundreds of test files, child processes and sockets in one process was seen to spin in there for ever.
// A test that leaves something open still shows: this is not reached then.
process.once('beforeExit', () => process.exit());
