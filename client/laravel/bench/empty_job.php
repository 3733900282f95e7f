<?php

declare(strict_types=1);

namespace Msab\Laravel\Bench;

use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Queue\Queueable;

final class EmptyJob implements ShouldQueue
{
    use Queueable;

    public function handle(): void {}
}
