import { integer, path, seconds, text, trustedProxies, webOrigins } from './formats.js';
import { part, setting } from './setting.js';

export const LISTENING = {
  title: 'Network',
  settings: {
    PORT: setting('http.port', {
      format: integer(0, 65_535),
      default: 3000,
      example: '8080',
      effect: 'The TCP port to listen on. `0` takes any free port and prints it.',
      isAboutSecurity: false,
    }),
    HOST: setting('http.host', {
      format: text(),
      default: '127.0.0.1',
      example: 'localhost',
      effect: 'The address to listen on. If it is not loopback, the app starts only with authentication.',
      details: 'In a container, use `0.0.0.0`.',
    }),
    TLS_CERT_FILE: part('http.tls', {
      format: path(),
      example: '/etc/tls/fullchain.pem',
      needs: { TLS_KEY_FILE: '/etc/tls/key.pem' },
      effect: 'Serves HTTPS with this PEM certificate chain. Needs `TLS_KEY_FILE`.',
      details:
        'Responses then have `Strict-Transport-Security`. Without a certificate, the server speaks plain HTTP, and a proxy in front of it should speak HTTPS.',
    }),
    TLS_KEY_FILE: part('http.tls', {
      format: path(),
      example: '/etc/tls/key.pem',
      needs: { TLS_CERT_FILE: '/etc/tls/fullchain.pem' },
      effect: 'The unencrypted PEM key of that certificate.',
      details: 'If the two do not match, the app does not start.',
    }),
    TRUST_PROXY: setting('http.trustProxy', {
      format: trustedProxies(),
      default: false,
      example: '1',
      effect:
        'Trusts the `X-Forwarded-*` headers of this number of proxies (`1`), or of proxies at these addresses (`10.0.0.0/8,loopback`).',
      details:
        'The address of a caller comes from these headers. `true` trusts every sender, so that any client can forge its address; the app starts and logs a warning. See [reverse proxies](../guides/reverse-proxies.md).',
    }),
    KEEP_ALIVE_SECONDS: setting('http.keepAliveMs', {
      format: seconds(1, 3600),
      default: 75_000,
      example: '620',
      effect:
        'Keeps an idle connection open this long. It must exceed the idle timeout of the load balancer in front.',
      details:
        'If it is shorter, the load balancer sometimes replies with 502. Google’s load balancers need 620.',
      isAboutSecurity: false,
    }),
    MAX_CONNECTIONS: setting('http.maxConnections', {
      format: integer(1, 1_000_000),
      default: 16_000,
      example: '1000',
      effect: 'Maximum open connections of this process. Further connections are closed at once.',
      details: 'The process must be allowed to open more files than this.',
    }),
    MAX_CONNECTIONS_PER_ADDRESS: setting('http.maxConnectionsPerAddress', {
      format: integer(1, 1_000_000),
      default: 8_000,
      example: '100',
      effect: 'Maximum open connections of one client address. Further connections are closed at once.',
      details:
        'For IPv6, a /64 network counts as one address. Proxies named by `TRUST_PROXY` are not counted; set a limit in the proxy instead.',
    }),
    CORS_ORIGINS: setting('http.corsOrigins', {
      format: webOrigins(),
      default: [],
      example: 'https://chat.example.com',
      effect: 'Allows pages of these other web origins to call the API.',
      details: 'Write them as browsers send them. `*` is refused, because requests contain credentials.',
    }),
  },
} as const;
