<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use RuntimeException;

/** A webhook that does not come from the relay, or not now. Its message is for our log, not for the caller. */
final class InvalidSignature extends RuntimeException {}
