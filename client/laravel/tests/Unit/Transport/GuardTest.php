<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Transport;

use Msab\Laravel\Exceptions\RelayException;
use Msab\Laravel\Transport\EmitFailure;
use Msab\Laravel\Transport\Guard;
use Msab\Laravel\Transport\StatusCode;
use Msab\Laravel\Transport\Timeouts;
use PHPUnit\Framework\TestCase;

final class GuardTest extends TestCase
{
    private float $now = 100;

    private int $calls = 0;

    private Guard $guard;

    protected function setUp(): void
    {
        $clock = fn (): float => $this->now;
        $this->guard = new Guard($clock, new Timeouts($clock));
    }

    /** A call that takes so long and then fails so; null: it doesn't fail. */
    private function call(?StatusCode $code, float $takes = 0.01, ?float $retryAfter = null): ?StatusCode
    {
        try {
            $this->guard->run(function () use ($code, $takes, $retryAfter) {
                $this->calls++;
                $this->now += $takes;
                if ($code !== null) {
                    throw (new EmitFailure($code, 'no', retryAfter: $retryAfter))->toException();
                }
            }, 0.3);
        } catch (RelayException $exception) {
            return $exception->status();
        }

        return null;
    }

    public function test_the_first_unavailable_is_tried_again_at_once(): void
    {
        $codes = [StatusCode::Unavailable, null];
        $this->guard->run(function (float $seconds) use (&$codes) {
            $this->now += 0.1;
            $code = array_shift($codes);
            if ($code !== null) {
                $this->assertSame(0.3, $seconds);
                throw (new EmitFailure($code, 'no'))->toException();
            }
            $this->assertEqualsWithDelta(0.2, $seconds, 1e-9);
        }, 0.3);
        $this->assertSame([], $codes);
    }

    public function test_while_the_relay_is_away_each_call_is_tried_once(): void
    {
        $this->call(StatusCode::Unavailable);
        $this->assertSame(2, $this->calls);
        $this->call(StatusCode::Unavailable);
        $this->assertSame(3, $this->calls);
        $this->call(null);
        $this->call(StatusCode::Unavailable);
        $this->assertSame(6, $this->calls);
    }

    public function test_a_delay_that_the_relay_asks_for_and_other_refusals_are_not_tried_again(): void
    {
        $this->call(StatusCode::Unavailable, retryAfter: 2.0);
        $this->assertSame(1, $this->calls);
        $this->call(StatusCode::InvalidArgument);
        $this->assertSame(2, $this->calls);
    }

    public function test_nothing_is_tried_again_past_the_deadline(): void
    {
        $this->call(StatusCode::Unavailable, takes: 0.3);
        $this->assertSame(1, $this->calls);
    }

    public function test_after_three_timeouts_in_a_row_calls_fail_fast_for_a_second(): void
    {
        $this->call(StatusCode::DeadlineExceeded);
        $this->call(StatusCode::DeadlineExceeded);
        $this->call(null);
        for ($i = 0; $i < 3; $i++) {
            $this->assertSame(StatusCode::DeadlineExceeded, $this->call(StatusCode::DeadlineExceeded));
        }
        $calls = $this->calls;

        $this->now += 0.99;
        $this->assertSame(StatusCode::Unavailable, $this->call(null));
        $this->assertSame($calls, $this->calls);

        $this->now += 0.02;
        $this->assertSame(StatusCode::DeadlineExceeded, $this->call(StatusCode::DeadlineExceeded));
        $this->assertSame(StatusCode::Unavailable, $this->call(null), 'still silent: fails fast again at once');

        $this->now += 1.01;
        $this->assertNull($this->call(null));
        $this->call(StatusCode::DeadlineExceeded);
        $this->assertNull($this->call(null));
    }

    public function test_what_is_not_tried_may_be_sent_later(): void
    {
        for ($i = 0; $i < 3; $i++) {
            $this->call(StatusCode::DeadlineExceeded);
        }
        try {
            $this->guard->run(fn () => null, 0.3);
            $this->fail('was tried');
        } catch (RelayException $exception) {
            $this->assertTrue($exception->isTransient());
            $this->assertGreaterThan(0.9, $exception->retryAfter());
        }
    }
}
