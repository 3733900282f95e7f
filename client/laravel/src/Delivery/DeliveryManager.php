<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

use Illuminate\Support\Manager;
use Msab\Laravel\Broadcasting\BroadcastDelivery;

/**
 * The deliveries by name: `queue`, `outbox`, `defer`, `sync`, and those that the application adds
 * with `extend()`.
 *
 * @method Delivery driver(string|null $driver = null)
 */
final class DeliveryManager extends Manager
{
    public function getDefaultDriver(): string
    {
        return (string) $this->config->get('msab.delivery', 'queue');
    }

    protected function createQueueDriver(): Delivery
    {
        return $this->container->make(QueueDelivery::class);
    }

    protected function createDeferDriver(): Delivery
    {
        return $this->container->make(DeferDelivery::class);
    }

    protected function createSyncDriver(): Delivery
    {
        return $this->container->make(SyncDelivery::class);
    }

    /** Of broadcasts; not for `msab.delivery`. */
    protected function createBroadcastDriver(): Delivery
    {
        return $this->container->make(BroadcastDelivery::class);
    }
}
