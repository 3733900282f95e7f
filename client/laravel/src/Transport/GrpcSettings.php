<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

/** `msab.connections.*.grpc`, and the key. */
final readonly class GrpcSettings
{
    /**
     * @param  string  $address  `host:port`
     * @param  string|null  $caFile  PEM: whom to trust; null: the system's authorities
     * @param  string|null  $certFile  PEM: the client's certificate chain, with `$keyFile`
     */
    public function __construct(
        public string $address,
        #[\SensitiveParameter]
        public string $key,
        public bool $tls = false,
        public ?string $caFile = null,
        public ?string $certFile = null,
        public ?string $keyFile = null,
    ) {}

    /**
     * The content of the `ca`, `cert` or `key` file; null where none is configured.
     *
     * @throws \RuntimeException where it can't be read
     */
    public function read(string $which): ?string
    {
        $file = ['ca' => $this->caFile, 'cert' => $this->certFile, 'key' => $this->keyFile][$which] ?? null;
        if ($file === null) {
            return null;
        }
        $text = @file_get_contents($file);

        return $text !== false ? $text : throw new \RuntimeException("The relay's TLS file '$file' ($which) can't be read.");
    }
}
