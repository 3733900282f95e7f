<?php

namespace App\Listeners;

use App\Events\ConfigUpdated;
use Msab\Laravel\Events\ConfigInvalidate;
use Msab\Laravel\Facades\Msab;

/** `config:invalidate` */
final class RelayConfigInvalidation
{
    public function handle(ConfigUpdated $event): void
    {
        Msab::toEveryone()->emit(new ConfigInvalidate(type: $event->part, version: $event->version));
    }
}
