<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Symfony\Component\Process\Process;

/** Certificates for 127.0.0.1 and for a client, of an authority made for the test; and another authority. */
final class Certificates
{
    public function __construct(private readonly string $directory)
    {
        foreach (['ca', 'other-ca'] as $name) {
            $this->openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                '-subj', "/CN=$name", '-keyout', $this->file("$name.key"), '-out', $this->file("$name.crt"));
        }
        file_put_contents($this->file('san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
        foreach (['server', 'client'] as $name) {
            $this->openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                '-subj', "/CN=$name", '-keyout', $this->file("$name.key"), '-out', $this->file("$name.csr"));
            $this->openssl('x509', '-req', '-in', $this->file("$name.csr"), '-CA', $this->file('ca.crt'), '-CAkey', $this->file('ca.key'),
                '-CAcreateserial', '-days', '2', '-extfile', $this->file('san'), '-out', $this->file("$name.crt"));
        }
    }

    public function file(string $name): string
    {
        return "$this->directory/$name";
    }

    private function openssl(string ...$arguments): void
    {
        (new Process(['openssl', ...$arguments]))->mustRun();
    }
}
