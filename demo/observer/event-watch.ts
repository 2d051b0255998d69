/** An event of the controller's log, as its API tells it. */
export interface SeenEvent {
  seq: number;
  at: number;
  type: string;
  subject: string;
  data: Record<string, unknown>;
}

/** Follows the event log by long poll until the signal aborts; a controller that is away is asked again. */
export async function followEvents(
  { address, token }: { address: string; token: string },
  onEvent: (event: SeenEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let after = 0;
  while (!signal.aborted) {
    try {
      const response = await fetch(`${address}/api/v1alpha1/events?after=${after}&wait=20&limit=500`, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      });
      if (!response.ok) throw new Error(`the controller answered ${response.status}`);
      const { items } = (await response.json()) as { items: SeenEvent[] };
      for (const event of items) {
        after = Math.max(after, event.seq);
        onEvent(event);
      }
    } catch {
      if (signal.aborted) return;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}
