<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Transport;

use Illuminate\Foundation\Application;
use Msab\Laravel\Transport\Deadlines;
use PHPUnit\Framework\TestCase;

final class DeadlinesTest extends TestCase
{
    public function test_a_user_waits_shorter_than_a_worker(): void
    {
        $request = new class extends Application
        {
            public function runningInConsole(): bool
            {
                return false;
            }
        };

        $this->assertSame(0.3, (new Deadlines($request))->seconds());
        $this->assertSame(2.0, (new Deadlines(new Application))->seconds());
        $this->assertSame(0.1, (new Deadlines($request, 0.1, 5))->seconds());
    }
}
