/** Where a listener really is: the port is known even when 0 was asked for. */
export interface BoundAddress {
  /** '127.0.0.1:8080', '[::]:8080', 'unix:/run/app.sock' */
  readonly name: string;
  readonly kind: 'tcp' | 'unix';
  readonly tls: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}
