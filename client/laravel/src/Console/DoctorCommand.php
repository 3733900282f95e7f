<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Console\Command;
use Msab\Laravel\Contract\Fingerprint;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Transport\HttpTransport;
use Msab\Laravel\Transport\Process;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transport;
use Msab\Laravel\Transport\Transports;

/** Says what keeps events from arriving, and what would help. Emits nothing. */
final class DoctorCommand extends Command
{
    protected $signature = 'msab:doctor {--connection= : as in msab.connections}';

    protected $description = 'Check the way to the relay: extension, reachability, key, contract, clock';

    /** How far the clocks may be apart: `ttl` and the order of balances depend on it. */
    private const MAX_CLOCK_SECONDS = 5;

    private bool $ill = false;

    public function handle(Transports $transports): int
    {
        $this->ill = false;
        $config = $this->laravel->make('config');
        $connection = (string) ($this->option('connection') ?? $config->get('msab.default', 'default'));
        if ($this->isForkSupportOn()) {
            // Nothing more: whatever runs a process now, such as finding the terminal's width, may hang.
            $this->output->writeln('<fg=red>grpc.enable_fork_support is on: proc_open and pcntl_fork can deadlock; remove it from php.ini</>');

            return self::FAILURE;
        }
        $this->checkExtension();
        $this->checkDelivery((string) $config->get('msab.delivery'));
        if ((string) $config->get("msab.connections.$connection.key") === '') {
            $this->bad('API key', 'none: set MSAB_API_KEY to one of the relay\'s auth.api_keys');
        }
        try {
            $transport = $transports->get($connection);
            $this->note("Connection '$connection'", "speaks by {$transport->name()}");
            foreach (Process::hasGrpc() ? ['grpc', 'http'] : ['http'] as $name) {
                $this->checkReach($transports->make($connection, $name), $transport->name());
            }
            $twin = $transports->make($connection, 'http');
            assert($twin instanceof HttpTransport);
            $this->checkTwin($twin);
        } catch (\InvalidArgumentException $exception) {
            $this->bad('Configuration', $exception->getMessage());
        }

        return $this->ill ? self::FAILURE : self::SUCCESS;
    }

    private function checkExtension(): void
    {
        if (! Process::hasGrpc()) {
            $this->note('gRPC extension', 'not installed: the JSON twin is used, at a few times the cost of a call');

            return;
        }
        $this->good('gRPC extension', (string) phpversion('grpc'));
        $this->good('grpc.enable_fork_support', 'off');
    }

    private function isForkSupportOn(): bool
    {
        return Process::hasGrpc() && filter_var(ini_get('grpc.enable_fork_support'), FILTER_VALIDATE_BOOLEAN);
    }

    private function checkDelivery(string $delivery): void
    {
        $queue = $this->laravel->make('config')->get('msab.queue.connection') ?? $this->laravel->make('config')->get('queue.default');
        if ($delivery === 'queue' && in_array($queue, ['sync', 'null'], true)) {
            $this->note('Delivery', "queue, on the connection '$queue': nothing is tried a second time");
        } else {
            $this->good('Delivery', $delivery.($delivery === 'queue' ? " ($queue)" : ''));
        }
    }

    private function checkReach(Transport $transport, string $used): void
    {
        $what = ['grpc' => 'Relay by gRPC', 'http' => 'Relay by HTTP'][$transport->name()];
        try {
            $begin = hrtime(true);
            $cursor = $transport->cursor(2.0);
            $ms = round((hrtime(true) - $begin) / 1e6, 1);
            $this->good($what, "answers in $ms ms, at $cursor");
        } catch (RelayException $exception) {
            $help = match ($exception->status()) {
                StatusCode::Unauthenticated, StatusCode::PermissionDenied => 'MSAB_API_KEY is none of the relay\'s auth.api_keys, or lacks the right',
                default => $transport->name() === 'grpc' ? 'is MSAB_GRPC the relay\'s grpc.listen, and does TLS agree?' : 'is MSAB_HTTP_URL the relay\'s http.listen?',
            };
            // The way that isn't used need not be open.
            $tell = $transport->name() === $used ? $this->bad(...) : $this->note(...);
            $tell($what, "{$exception->getMessage()} ($help)");
        }
    }

    private function checkTwin(HttpTransport $twin): void
    {
        try {
            [$document, $time] = $twin->contract(2.0);
        } catch (RelayException) {
            $this->note('Contract and clock', 'not compared: they are asked for by HTTP');

            return;
        }
        if (Fingerprint::of($document) === Catalog::FINGERPRINT) {
            $this->good('Contract', Catalog::FINGERPRINT);
        } else {
            $this->bad('Contract', 'the relay\'s events are not those of this version of msab/laravel: update the older of both');
        }
        if ($time === null) {
            return;
        }
        $apart = abs(time() - $time);
        if ($apart > self::MAX_CLOCK_SECONDS) {
            $this->bad('Clock', "$apart s apart from the relay's: of two balances the wrong one may win, and a ttl may be over on arrival");
        } else {
            $this->good('Clock', 'as the relay\'s');
        }
    }

    private function good(string $what, string $found): void
    {
        $this->components->twoColumnDetail($what, "<fg=green>$found</>");
    }

    private function note(string $what, string $found): void
    {
        $this->components->twoColumnDetail($what, "<fg=yellow>$found</>");
    }

    private function bad(string $what, string $found): void
    {
        $this->ill = true;
        $this->components->twoColumnDetail($what, "<fg=red>$found</>");
    }
}
