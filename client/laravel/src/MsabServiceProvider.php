<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Illuminate\Support\ServiceProvider;
use Msab\Laravel\Delivery\DeferDelivery;
use Msab\Laravel\Delivery\DeliveryManager;
use Msab\Laravel\Delivery\Outcomes;
use Msab\Laravel\Outbox\OutboxServiceProvider;
use Msab\Laravel\Support\Counters;
use Msab\Laravel\Token\TokenServiceProvider;
use Msab\Laravel\Transport\Transports;
use Msab\Laravel\Webhook\WebhookServiceProvider;

final class MsabServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->mergeConfigFrom(__DIR__.'/../config/msab.php', 'msab');
        $this->app->register(OutboxServiceProvider::class);
        $this->app->register(TokenServiceProvider::class);
        $this->app->register(WebhookServiceProvider::class);

        $this->app->singleton(Msab::class, fn ($app) => new Msab($app));
        $this->app->singleton(Transports::class, fn ($app) => new Transports($app));
        $this->app->singleton(DeliveryManager::class, fn ($app) => new DeliveryManager($app));
        $this->app->singleton(DeferDelivery::class);
        $this->app->singleton(Counters::class);
        $this->app->bind(Outcomes::class);
    }

    public function boot(): void
    {
        if ($this->app->runningInConsole()) {
            $this->publishes([__DIR__.'/../config/msab.php' => $this->app->configPath('msab.php')], 'msab-config');
        }
    }
}
