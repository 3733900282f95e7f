<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

/** The application's word on who may join a room. Named in `msab.webhook.joins`; made by the container. */
interface JoinHandler
{
    /** Changes nothing; the relay keeps a yes for 60 s. Accepted::join() says what the others see of the user. */
    public function handleJoin(JoinCommand $join): Accepted|Rejected;
}
