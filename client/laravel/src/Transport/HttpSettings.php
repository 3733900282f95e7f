<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

/** `msab.connections.*.http`, and the key. */
final readonly class HttpSettings
{
    /**
     * @param  string  $url  of the relay's internal port, or of what stands before it: `http://host:9090`
     * @param  string|null  $caFile  PEM: whom to trust; null: the system's authorities
     * @param  string|null  $certFile  PEM: the client's certificate chain, with `$keyFile`
     */
    public function __construct(
        public string $url,
        #[\SensitiveParameter]
        public string $key,
        public ?string $caFile = null,
        public ?string $certFile = null,
        public ?string $keyFile = null,
    ) {}
}
