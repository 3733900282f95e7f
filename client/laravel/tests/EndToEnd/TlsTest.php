<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\Certificates;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Transports;
use PHPUnit\Framework\Attributes\Group;

#[Group('long')]
final class TlsTest extends RelayTestCase
{
    private Certificates $certificates;

    protected function startRelay(): TestRelay
    {
        $this->certificates = new Certificates($this->workDirectory());

        return TestRelay::started([
            'MSAB_GRPC_TLS_CERT' => $this->certificates->file('server.crt'),
            'MSAB_GRPC_TLS_KEY' => $this->certificates->file('server.key'),
            'MSAB_GRPC_CLIENT_CA' => $this->certificates->file('ca.crt'),
        ]);
    }

    private function answerWith(array $grpc): StatusCode
    {
        config(['msab.connections.default.grpc' => $grpc + ['address' => "127.0.0.1:{$this->relay->grpcPort}"], 'msab.connections.default.transport' => 'grpc']);
        $this->app->forgetInstance(Transports::class);
        try {
            Msab::toUser(1)->emitNow(new BalanceUpdated, deadline: 5.0);
        } catch (RelayException $exception) {
            return $exception->status();
        }

        return StatusCode::Ok;
    }

    public function test_the_relay_and_the_client_show_each_other_certificates(): void
    {
        $ca = $this->certificates->file('ca.crt');
        $own = ['cert' => $this->certificates->file('client.crt'), 'cert_key' => $this->certificates->file('client.key')];

        $this->assertSame(StatusCode::Ok, $this->answerWith(['tls' => true, 'ca' => $ca] + $own));
        $this->assertSame(StatusCode::Unavailable, $this->answerWith(['tls' => true, 'ca' => $ca]));
        $this->assertSame(StatusCode::Unavailable, $this->answerWith(['tls' => true, 'ca' => $this->certificates->file('other-ca.crt')] + $own));
        $this->assertSame(StatusCode::Unavailable, $this->answerWith(['tls' => false]));
    }

    public function test_a_file_that_cannot_be_read_is_named(): void
    {
        $this->expectExceptionMessage('/no/such/ca.pem');
        $this->answerWith(['tls' => true, 'ca' => '/no/such/ca.pem']);
    }
}
