<?php

declare(strict_types=1);

namespace Msab\Laravel\Outbox;

use Illuminate\Contracts\Container\Container;
use Illuminate\Support\ServiceProvider;
use Msab\Laravel\Delivery\DeliveryManager;

/** `msab.delivery = outbox`, its tables and `msab:outbox`. */
final class OutboxServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->callAfterResolving(DeliveryManager::class, function (DeliveryManager $deliveries): void {
            $deliveries->extend('outbox', fn (Container $app): OutboxDelivery => $app->make(OutboxDelivery::class));
        });
    }

    public function boot(): void
    {
        if ($this->app->runningInConsole()) {
            $this->commands([OutboxCommand::class]);
            // Under names that stay: publishesMigrations() dates them anew, and a second install would make the tables twice.
            $this->publishes([
                __DIR__.'/../../database/migrations' => $this->app->databasePath('migrations'),
            ], 'msab-migrations');
        }
    }
}
