<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\TestCase;
use PHPUnit\Framework\Attributes\TestWith;

final class FirstEmitTest extends TestCase
{
    #[TestWith(['grpc'])]
    #[TestWith(['http'])]
    public function test_an_event_reaches_the_users_socket_and_nobody_elses(string $transport): void
    {
        $relay = TestRelay::started();
        config(['msab.connections.default' => [
            'transport' => $transport,
            'key' => TestRelay::KEY,
            'grpc' => ['address' => "127.0.0.1:$relay->grpcPort"],
            'http' => ['url' => "http://127.0.0.1:$relay->httpPort"],
        ]]);
        $mine = $relay->connect(42);
        $others = $relay->connect(43);

        $result = Msab::toUser(42)->emitNow(new BalanceUpdated(coins: '1500'));

        $this->assertSame(1, $result->usersOnline);
        $this->assertSame(['user_id' => 42, 'coins' => '1500'], $mine->next('balance.updated')['data']);
        $this->assertSame([], $others->drain());
    }
}
