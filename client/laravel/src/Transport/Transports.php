<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Illuminate\Contracts\Foundation\Application;
use InvalidArgumentException;

/** The transports of this process, one for each of `msab.connections`, made when first asked for. */
final class Transports
{
    /** @var array<string, Transport> */
    private array $made = [];

    public function __construct(private readonly Application $app)
    {
        Process::remember();
    }

    /** @throws InvalidArgumentException where the configuration doesn't have it, or not rightly */
    public function get(string $connection): Transport
    {
        // A forked process opens connections of its own.
        return $this->made[$connection.'@'.getmypid()] ??= $this->make($connection);
    }

    /**
     * Makes one that isn't kept.
     *
     * @param  string|null  $name  another than the configured one
     *
     * @throws InvalidArgumentException
     */
    public function make(string $connection, ?string $name = null): Transport
    {
        $config = $this->app->make('config')->get("msab.connections.$connection");
        if (! is_array($config)) {
            throw new InvalidArgumentException("msab.connections.$connection is not configured.");
        }
        // The environment's word `null` arrives as null: it is a transport, too.
        $name ??= array_key_exists('transport', $config) ? $config['transport'] ?? 'null' : 'auto';
        if ($name === 'auto') {
            $name = Process::hasGrpc() && ! Process::isForkedFromCli() ? 'grpc' : 'http';
        }

        return match ($name) {
            'grpc' => $this->grpc($connection, $config),
            'http' => $this->http($connection, $config),
            'log' => new LogTransport($this->app->make('log')->channel($config['log_channel'] ?? null)),
            'null' => new NullTransport,
            default => throw new InvalidArgumentException(
                "msab.connections.$connection.transport is '$name': must be auto, grpc, http, log or null.",
            ),
        };
    }

    /** @param  array<string, mixed>  $config */
    private function grpc(string $connection, array $config): GrpcTransport
    {
        if (! Process::hasGrpc()) {
            throw new InvalidArgumentException(
                "msab.connections.$connection.transport is 'grpc', and PHP has no grpc extension: install it, or say 'auto'.",
            );
        }
        $grpc = $config['grpc'] ?? [];

        return new GrpcTransport(
            new GrpcSettings(
                address: $grpc['address'] ?? '127.0.0.1:50051',
                key: (string) ($config['key'] ?? ''),
                tls: (bool) ($grpc['tls'] ?? false),
                caFile: $grpc['ca'] ?? null,
                certFile: $grpc['cert'] ?? null,
                keyFile: $grpc['cert_key'] ?? null,
            ),
            $this->deadlines($config),
            $this->guard($connection),
        );
    }

    /** @param  array<string, mixed>  $config */
    private function http(string $connection, array $config): HttpTransport
    {
        $http = $config['http'] ?? [];

        return new HttpTransport(
            new HttpSettings(
                url: $http['url'] ?? 'http://127.0.0.1:9090',
                key: (string) ($config['key'] ?? ''),
                caFile: $http['ca'] ?? null,
                certFile: $http['cert'] ?? null,
                keyFile: $http['cert_key'] ?? null,
            ),
            $this->deadlines($config),
            $this->guard($connection),
        );
    }

    private function guard(string $connection): Guard
    {
        // Elsewhere a process is one request's, or forgets between two.
        $remembers = in_array(PHP_SAPI, ['cli', 'phpdbg', 'micro'], true);

        return Guard::withSystemClock($remembers ? null : $this->app->storagePath('framework/msab-timeouts-'.md5($connection)));
    }

    /** @param  array<string, mixed>  $config */
    private function deadlines(array $config): Deadlines
    {
        return new Deadlines(
            $this->app,
            (float) ($config['deadline']['request'] ?? 0.3),
            (float) ($config['deadline']['worker'] ?? 2.0),
        );
    }
}
