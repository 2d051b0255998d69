/*
 * Imported before a runtime's main program: at SIGUSR2 the fault that FAULT names befalls that very process.
 */
process.on('SIGUSR2', () => {
  const fault = process.env['FAULT'];
  if (fault === 'rejection') void Promise.reject(new Error('nobody waits for this'));
  if (fault === 'exception') throw new Error('nobody catches this');
  const until = performance.now() + (fault === 'block' ? 2500 : 0);
  while (performance.now() < until);
});
