<?php

declare(strict_types=1);

namespace Msab\Laravel\Testing;

use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Emission;
use Msab\Laravel\Relay;
use Msab\Laravel\Support\AfterCommit;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\NullTransport;

/** What {@see MsabFake} has for each connection. Sends nothing; else as the real one. */
final class FakeRelay extends Relay
{
    public function __construct(string $name, \Illuminate\Contracts\Foundation\Application $app, private readonly MsabFake $fake)
    {
        parent::__construct($name, $app, fn () => new NullTransport);
    }

    protected function deliver(Emission $emission): void
    {
        $this->app->make(AfterCommit::class)->run(function () use ($emission) {
            $this->fake->record($emission);
            foreach ($emission->envelopes as $envelope) {
                $this->app->make(Outcomes::class)->emitted($envelope, $this->fake->result($emission));
            }
        });
    }

    protected function deliverNow(Emission $emission, ?float $deadline): EmitResult
    {
        $this->fake->record($emission);

        return $this->fake->result($emission);
    }
}
