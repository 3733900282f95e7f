<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Delivery;

use Msab\Laravel\Delivery\EmitJob;
use Msab\Laravel\Delivery\Envelope;
use PHPUnit\Framework\TestCase;

final class EnvelopeTest extends TestCase
{
    public function test_a_queue_can_write_it_as_json_and_gets_the_same_bytes_back(): void
    {
        $bytes = implode('', array_map(chr(...), range(0, 255)));
        $envelope = new Envelope('id', 'balance.updated', 'user:1', $bytes, 1, null, 'default', 'high', 3);

        $payload = json_encode(['command' => serialize(new EmitJob($envelope))], JSON_THROW_ON_ERROR);
        $job = unserialize(json_decode($payload, true)['command']);

        $this->assertEquals($envelope, $job->envelope);
        $this->assertSame($bytes, $job->envelope->bytes);
    }

    public function test_its_job_says_what_it_is(): void
    {
        $job = new EmitJob(new Envelope('id', 'balance.updated', 'user:1', '', 1, null, 'default'));

        $this->assertSame('Msab emit balance.updated', $job->displayName());
        $this->assertSame(['msab', 'msab:balance.updated', 'msab:user:1'], $job->tags());
    }
}
