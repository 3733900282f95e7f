<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use RuntimeException;

/** A command, or a batch of them, that does not have the shape that the relay and this package agreed on. */
final class InvalidCommand extends RuntimeException {}
