<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Illuminate\Contracts\Foundation\Application;

/** How long a call to the relay may take where nobody says otherwise. */
final class Deadlines
{
    /**
     * @param  float  $request  seconds while a user waits
     * @param  float  $worker  seconds in a queue worker or a command
     */
    public function __construct(
        private readonly Application $app,
        private readonly float $request = 0.3,
        private readonly float $worker = 2.0,
    ) {}

    public function seconds(): float
    {
        return $this->app->runningInConsole() ? $this->worker : $this->request;
    }
}
