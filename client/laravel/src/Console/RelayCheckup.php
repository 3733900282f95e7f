<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Support\Carbon;
use Msab\Laravel\Broadcasting\ChannelMap;
use Msab\Laravel\Contract\Fingerprint;
use Msab\Laravel\Delivery\DeliveryManager;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Transport\HttpTransport;
use Msab\Laravel\Transport\Process;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transport;
use Msab\Laravel\Transport\Transports;

/** The way to the relay: the extension, whether it answers, the key, the contract, the clock. */
final readonly class RelayCheckup implements Checkup
{
    /** How far the clocks may be apart: `ttl` and the order of balances depend on it. */
    private const MAX_CLOCK_SECONDS = 5;

    public function __construct(
        private Transports $transports,
        private DeliveryManager $deliveries,
        private Repository $config,
    ) {}

    public function run(Diagnosis $diagnosis, string $relay): void
    {
        $this->checkExtension($diagnosis);
        $this->checkDelivery($diagnosis);
        $this->checkChannels($diagnosis);
        if ((string) $this->config->get("msab.connections.$relay.key") === '') {
            $diagnosis->bad('API key', 'none: set MSAB_API_KEY to one of the relay\'s auth.api_keys');
        }
        try {
            $transport = $this->transports->get($relay);
            $diagnosis->note("Connection '$relay'", "speaks by {$transport->name()}");
            foreach (Process::hasGrpc() ? ['grpc', 'http'] : ['http'] as $name) {
                $this->checkReach($diagnosis, $this->transports->make($relay, $name), $transport->name());
            }
            $twin = $this->transports->make($relay, 'http');
            assert($twin instanceof HttpTransport);
            $this->checkTwin($diagnosis, $twin);
        } catch (\InvalidArgumentException $exception) {
            $diagnosis->bad('Configuration', $exception->getMessage());
        }
    }

    private function checkExtension(Diagnosis $diagnosis): void
    {
        if (! Process::hasGrpc()) {
            $diagnosis->note('gRPC extension', 'not installed: the JSON twin is used, at a few times the cost of a call');

            return;
        }
        $diagnosis->good('gRPC extension', (string) phpversion('grpc'));
        $diagnosis->good('grpc.enable_fork_support', 'off');
    }

    private function checkDelivery(Diagnosis $diagnosis): void
    {
        $delivery = (string) $this->config->get('msab.delivery');
        try {
            $this->deliveries->driver($delivery);
        } catch (\InvalidArgumentException) {
            $diagnosis->bad('Delivery', "msab.delivery is '$delivery': must be queue, outbox, defer or sync");

            return;
        }
        $queue = $this->config->get('msab.queue.connection') ?? $this->config->get('queue.default');
        if ($delivery === 'queue' && in_array($queue, ['sync', 'null'], true)) {
            $diagnosis->note('Delivery', "queue, on the connection '$queue': nothing is tried a second time");
        } else {
            $diagnosis->good('Delivery', $delivery.($delivery === 'queue' ? " ($queue)" : ''));
        }
    }

    private function checkChannels(Diagnosis $diagnosis): void
    {
        try {
            new ChannelMap(
                array_values((array) $this->config->get('msab.broadcasting.user_channels', [])),
                array_values((array) $this->config->get('msab.broadcasting.room_channels', [])),
            );
        } catch (\InvalidArgumentException $exception) {
            $diagnosis->bad('Broadcasting', $exception->getMessage());
        }
    }

    private function checkReach(Diagnosis $diagnosis, Transport $transport, string $used): void
    {
        $what = ['grpc' => 'Relay by gRPC', 'http' => 'Relay by HTTP'][$transport->name()];
        try {
            $begin = hrtime(true);
            $cursor = $transport->cursor(2.0);
            $ms = round((hrtime(true) - $begin) / 1e6, 1);
            $diagnosis->good($what, "answers in $ms ms, at $cursor");
        } catch (RelayException $exception) {
            $help = match ($exception->status()) {
                StatusCode::Unauthenticated, StatusCode::PermissionDenied => 'MSAB_API_KEY is none of the relay\'s auth.api_keys, or lacks the right',
                default => $transport->name() === 'grpc' ? 'is MSAB_GRPC the relay\'s grpc.listen, and does TLS agree?' : 'is MSAB_HTTP_URL the relay\'s http.listen?',
            };
            // The way that isn't used need not be open.
            $tell = $transport->name() === $used ? $diagnosis->bad(...) : $diagnosis->note(...);
            $tell($what, "{$exception->getMessage()} ($help)");
        }
    }

    private function checkTwin(Diagnosis $diagnosis, HttpTransport $twin): void
    {
        try {
            [$document, $time] = $twin->contract(2.0);
        } catch (RelayException) {
            $diagnosis->note('Contract and clock', 'not compared: they are asked for by HTTP');

            return;
        }
        if (Fingerprint::of($document) === Catalog::FINGERPRINT) {
            $diagnosis->good('Contract', Catalog::FINGERPRINT);
        } else {
            $diagnosis->bad('Contract', 'the relay\'s events are not those of this version of msab/laravel: update the older of both');
        }
        if ($time === null) {
            return;
        }
        $apart = abs(Carbon::now()->getTimestamp() - $time);
        if ($apart > self::MAX_CLOCK_SECONDS) {
            $diagnosis->bad('Clock', "$apart s apart from the relay's: of two balances the wrong one may win, and a ttl may be over on arrival");
        } else {
            $diagnosis->good('Clock', 'as the relay\'s');
        }
    }
}
