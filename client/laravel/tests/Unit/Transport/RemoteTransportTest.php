<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Transport;

use Illuminate\Foundation\Application;
use Msab\Laravel\Transport\Deadlines;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\EmitResult;
use Msab\Laravel\Transport\Guard;
use Msab\Laravel\Transport\RemoteTransport;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Timeouts;
use Msab\Laravel\Transport\Transport;
use PHPUnit\Framework\TestCase;

final class RemoteTransportTest extends TestCase
{
    /** @param  \Closure(list<string>): list<EmitResult|EmitFailure>  $answer */
    private function transport(\Closure $answer): Transport
    {
        return new class(new Deadlines(new Application), new Guard(fn () => 0.0, new Timeouts(fn () => 0.0)), $answer) extends RemoteTransport
        {
            public function __construct(Deadlines $deadlines, Guard $guard, private readonly \Closure $answer)
            {
                parent::__construct($deadlines, $guard);
            }

            public function name(): string
            {
                return 'test';
            }

            protected function encode(string $bytes): string
            {
                return $bytes;
            }

            protected function callEmit(string $request, float $seconds): EmitResult
            {
                return new EmitResult($request);
            }

            protected function callEmitBatch(array $requests, float $seconds): array
            {
                return ($this->answer)($requests);
            }

            protected function callCursor(float $seconds): string
            {
                return '';
            }
        };
    }

    public function test_batches_are_split_by_number_and_by_bytes_and_keep_their_order(): void
    {
        $sizes = [];
        $transport = $this->transport(function (array $requests) use (&$sizes) {
            $sizes[] = count($requests);

            return array_map(fn (string $request) => new EmitResult(substr($request, 0, 8)), $requests);
        });
        $small = array_map(fn (int $i) => sprintf('%08d', $i), range(1, 2500));
        $this->assertSame($small, array_column($transport->emitBatch($small), 'eventId'));
        $this->assertSame([1000, 1000, 500], $sizes);

        $sizes = [];
        $large = array_map(fn (string $id) => $id.str_repeat('x', 1_500_000), array_slice($small, 0, 5));
        $this->assertCount(5, $transport->emitBatch($large));
        $this->assertSame([2, 2, 1], $sizes);

        $this->assertSame([], $transport->emitBatch([]));
    }

    public function test_where_a_call_fails_so_does_each_of_its_events_and_each_after(): void
    {
        $calls = 0;
        $transport = $this->transport(function (array $requests) use (&$calls) {
            if (++$calls === 2) {
                throw (new EmitFailure(StatusCode::PermissionDenied, 'no'))->toException();
            }

            return array_map(fn (string $request) => new EmitResult($request), $requests);
        });

        $results = $transport->emitBatch(array_map(strval(...), range(1, 2500)));

        $this->assertCount(2500, $results);
        $this->assertInstanceOf(EmitResult::class, $results[999]);
        $this->assertInstanceOf(EmitFailure::class, $results[1000]);
        $this->assertInstanceOf(EmitFailure::class, $results[2499]);
        $this->assertSame(2, $calls);
    }

    public function test_what_is_transient_and_what_is_not(): void
    {
        $this->assertTrue((new EmitFailure(StatusCode::Unavailable, ''))->isTransient());
        $this->assertTrue((new EmitFailure(StatusCode::DeadlineExceeded, ''))->isTransient());
        $this->assertTrue((new EmitFailure(StatusCode::ResourceExhausted, '', retryAfter: 0.1))->isTransient());
        $this->assertFalse((new EmitFailure(StatusCode::ResourceExhausted, 'too large'))->isTransient());
        $this->assertFalse((new EmitFailure(StatusCode::InvalidArgument, ''))->isTransient());
        $this->assertFalse((new EmitFailure(StatusCode::AlreadyExists, ''))->isTransient());
        $this->assertSame('DEADLINE_EXCEEDED', StatusCode::DeadlineExceeded->text());
    }
}
