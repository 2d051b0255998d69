import { SwitchbackError } from '../error.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[-.a-z0-9]{1,253})(?::\d{1,5})?$/i;

/**
 * Refuses a request that was sent to another name than ours: a page whose name was made to point at this machine
 * sends its own. Throws E_FORBIDDEN.
 *
 * @param configured where the operator lets it listen
 */
export function hostCheck(configured: string): (host: string | undefined) => void {
  const names = new Set([...LOOPBACK, configured.toLowerCase(), `[${configured.toLowerCase()}]`]);
  return host => {
    const name = HOST.exec(host ?? '')?.[1]?.toLowerCase();
    if (name !== undefined && names.has(name)) return;
    throw new SwitchbackError(
      'E_FORBIDDEN',
      `This API is not served under the name ${JSON.stringify((host ?? '').slice(0, 80))}. Ask it as it says where it is: localhost, or the address in controller.json.`,
    );
  };
}
