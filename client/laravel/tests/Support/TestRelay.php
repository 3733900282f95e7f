<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Symfony\Component\Process\Process;

/** A real relay, as a child process, on ports of its own. The same ones after a restart. */
final class TestRelay
{
    public const KEY = 'test-key';

    public const EMIT_ONLY_KEY = 'emit-only-key';

    public const JWT_SECRET = 'a-secret-of-the-tests-with-enough-bytes';

    public readonly int $wsPort;

    public readonly int $grpcPort;

    public readonly int $httpPort;

    private readonly string $config;

    private ?Process $process = null;

    /**
     * @param  array<string, string>  $environment  settings: `MSAB_ROOMS_AUTHORIZE` …
     * @param  string  $toml  more of the configuration file, after the custom events
     */
    public function __construct(private readonly array $environment = [], string $toml = '')
    {
        [$this->wsPort, $this->grpcPort, $this->httpPort] = [Ports::free(), Ports::free(), Ports::free()];
        $this->config = (string) tempnam(sys_get_temp_dir(), 'relay');
        file_put_contents($this->config, <<<'TOML'
            [[custom_events]]
            name = "App\\Events\\*"
            audience = ["user", "room", "everyone"]
            class = "durable"

            [[custom_events]]
            name = "order.*"
            audience = ["user", "room", "everyone"]
            class = "durable"

            TOML.$toml);
    }

    public static function started(array $environment = [], string $toml = ''): self
    {
        $relay = new self($environment, $toml);
        $relay->start();

        return $relay;
    }

    public function start(): void
    {
        $environment = [
            'MSAB_WS_LISTEN' => "127.0.0.1:$this->wsPort",
            'MSAB_GRPC_LISTEN' => "127.0.0.1:$this->grpcPort",
            'MSAB_HTTP_LISTEN' => "127.0.0.1:$this->httpPort",
            'MSAB_API_KEYS' => 'laravel:'.self::KEY.':emit+admin,other:'.self::EMIT_ONLY_KEY,
            'MSAB_JWT_SECRETS' => self::JWT_SECRET,
            'MSAB_ALLOWED_ORIGINS' => '*',
            'MSAB_LOG_LEVEL' => 'warn',
            // A test's client doesn't leave when it is asked to.
            'MSAB_DRAIN_TIMEOUT' => '200ms',
        ];
        // Nothing of the test's own environment, where MSAB_… means the package.
        $others = array_map(fn () => false, array_filter(
            getenv(),
            fn (string $name) => str_starts_with($name, 'MSAB_'),
            ARRAY_FILTER_USE_KEY,
        ));
        $this->process = new Process(
            [getenv('MSAB_RELAY'), '--config', $this->config],
            env: $this->environment + $environment + $others,
            timeout: null,
        );
        $this->process->start();
        Until::true(fn () => $this->isReady(), "the relay to start: {$this->process->getErrorOutput()}", 15);
    }

    public function isReady(): bool
    {
        if (! $this->process?->isRunning()) {
            throw new \RuntimeException("the relay ended: {$this->process?->getErrorOutput()}");
        }

        return @file_get_contents("http://127.0.0.1:$this->httpPort/readyz") !== false;
    }

    /** As an operator does: it drains. */
    public function stop(): void
    {
        $this->process?->stop(10, SIGTERM);
        $this->process = null;
    }

    public function kill(): void
    {
        $this->process?->stop(0, SIGKILL);
        $this->process = null;
    }

    public function signal(int $signal): void
    {
        $this->process?->signal($signal);
    }

    public function __destruct()
    {
        $this->kill();
        @unlink($this->config);
    }

    /** @return array<string, string> for an application that is to use it */
    public function environment(): array
    {
        return [
            'MSAB_API_KEY' => self::KEY,
            'MSAB_GRPC' => "127.0.0.1:$this->grpcPort",
            'MSAB_HTTP_URL' => "http://127.0.0.1:$this->httpPort",
        ];
    }

    /** A number of its metrics, by the beginning of its line: `msab_emits_total{outcome="accepted"`. */
    public function metric(string $line): float
    {
        $sum = 0;
        foreach (file("http://127.0.0.1:$this->httpPort/metrics") ?: [] as $text) {
            if (str_starts_with($text, $line)) {
                $sum += (float) substr((string) strrchr(rtrim($text), ' '), 1);
            }
        }

        return $sum;
    }

    /** What clients of its internal ports have sent and it hasn't read: while it stands still. */
    public function unreadBytes(): int
    {
        return Ports::unreadBytes($this->grpcPort, $this->httpPort);
    }

    public function connect(int $userId, array $rooms = [], ?string $cursor = null): WsClient
    {
        return new WsClient($this->wsPort, Tokens::user($userId), $rooms, $cursor);
    }
}
