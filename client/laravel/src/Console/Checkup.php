<?php

declare(strict_types=1);

namespace Msab\Laravel\Console;

/** One part of `msab:doctor`. Changes nothing, and throws nothing for what it is to find. */
interface Checkup
{
    /** @param  string  $relay  a connection of `msab.connections` */
    public function run(Diagnosis $diagnosis, string $relay): void;
}
