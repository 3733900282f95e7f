<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Transport;

use Msab\Laravel\Transport\Timeouts;
use PHPUnit\Framework\TestCase;

final class TimeoutsTest extends TestCase
{
    private float $now = 1000;

    private string $directory;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir().'/msab-timeouts-'.bin2hex(random_bytes(6));
        mkdir($this->directory);
    }

    protected function tearDown(): void
    {
        array_map(unlink(...), glob("$this->directory/*") ?: []);
        rmdir($this->directory);
    }

    /** As a request of its own has them. */
    private function timeouts(string $file = 'timeouts'): Timeouts
    {
        return new Timeouts(fn (): float => $this->now, "$this->directory/$file");
    }

    public function test_requests_that_know_nothing_of_each_other_share_what_they_met(): void
    {
        $this->timeouts()->add();
        $this->timeouts()->add();
        $this->assertSame(0.0, $this->timeouts()->pause());
        $this->timeouts()->add();
        $this->assertEqualsWithDelta(Timeouts::PAUSE_SECONDS, $this->timeouts()->pause(), 1e-6);

        $this->now += 1.01;
        $this->assertSame(0.0, $this->timeouts()->pause());
        $this->timeouts()->add();
        $this->assertGreaterThan(0.0, $this->timeouts()->pause(), 'still silent: again at once');
    }

    public function test_an_answer_ends_it_for_all(): void
    {
        $other = $this->timeouts();
        $other->add();
        $other->add();
        $answered = $this->timeouts();
        $answered->pause();
        $answered->clear();

        $this->assertSame([], glob("$this->directory/*"));
        $other->add();
        $this->assertSame(0.0, $other->pause());
    }

    public function test_a_file_from_before_the_machines_last_start_and_a_broken_one_mean_nothing(): void
    {
        file_put_contents("$this->directory/timeouts", '3 987654.5');
        $this->assertSame(0.0, $this->timeouts()->pause());
        file_put_contents("$this->directory/timeouts", 'x');
        $this->assertSame(0.0, $this->timeouts()->pause());
    }

    public function test_a_file_that_cannot_be_written_leaves_each_request_its_own(): void
    {
        $timeouts = $this->timeouts('no/such/directory');
        for ($i = 0; $i < Timeouts::MOST; $i++) {
            $timeouts->add();
        }
        $this->assertGreaterThan(0.0, $timeouts->pause());
    }
}
