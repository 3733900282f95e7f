<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Illuminate\Broadcasting\BroadcastManager;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobFailed;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;
use Illuminate\Queue\Queue;
use Illuminate\Support\ServiceProvider;
use Msab\Laravel\Broadcasting\BroadcastJobs;
use Msab\Laravel\Broadcasting\ChannelMap;
use Msab\Laravel\Broadcasting\MsabBroadcaster;
use Msab\Laravel\Console\DoctorCommand;
use Msab\Laravel\Console\EmitCommand;
use Msab\Laravel\Console\InstallCommand;
use Msab\Laravel\Delivery\DeferDelivery;
use Msab\Laravel\Delivery\DeliveryManager;
use Msab\Laravel\Outbox\OutboxServiceProvider;
use Msab\Laravel\Support\AfterCommit;
use Msab\Laravel\Support\Counters;
use Msab\Laravel\Token\TokenServiceProvider;
use Msab\Laravel\Transport\Transports;
use Msab\Laravel\Webhook\WebhookServiceProvider;

/** Emits, deliveries, transports and broadcasts. */
final class MsabServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->mergeConfigFrom(__DIR__.'/../config/msab.php', 'msab');
        $config = $this->app->make('config');
        if ($config->get('broadcasting.connections.msab') === null) {
            $config->set('broadcasting.connections.msab', ['driver' => 'msab']);
        }

        $this->app->singleton(Msab::class, fn ($app) => new Msab($app));
        $this->app->singleton(Transports::class, fn ($app) => new Transports($app));
        $this->app->singleton(DeliveryManager::class, fn ($app) => new DeliveryManager($app));
        $this->app->singleton(DeferDelivery::class);
        $this->app->singleton(Counters::class);
        $this->app->singleton(AfterCommit::class);
        $this->app->singleton(BroadcastJobs::class);
        $this->app->singleton(ChannelMap::class, fn ($app) => new ChannelMap(
            $app->make('config')->get('msab.broadcasting.user_channels', []),
            $app->make('config')->get('msab.broadcasting.room_channels', []),
        ));
        $this->callAfterResolving(BroadcastManager::class, fn (BroadcastManager $manager) => $manager->extend(
            'msab',
            fn ($app, array $config) => new MsabBroadcaster(
                $app->make(ChannelMap::class),
                $app->make(BroadcastJobs::class),
                $config['connection'] ?? null,
            ),
        ));
        foreach ([OutboxServiceProvider::class, TokenServiceProvider::class, WebhookServiceProvider::class] as $part) {
            $this->app->register($part);
        }
    }

    public function boot(Dispatcher $events): void
    {
        $events->listen(ShouldRelay::class, RelayListener::class);
        $this->watchBroadcastJobs($events);
        // Under Octane what a request makes goes with it: what is to last is made before the first.
        $this->app->make(Counters::class);
        $this->app->make(Transports::class);
        if ($this->app->runningInConsole()) {
            $this->commands([InstallCommand::class, DoctorCommand::class, EmitCommand::class]);
            $this->publishes([__DIR__.'/../config/msab.php' => $this->app->configPath('msab.php')], 'msab-config');
        }
    }

    private function watchBroadcastJobs(Dispatcher $events): void
    {
        $jobs = $this->app->make(BroadcastJobs::class);
        $events->listen(JobProcessing::class, fn (JobProcessing $event) => $jobs->began($event->job));
        foreach ([JobProcessed::class, JobExceptionOccurred::class, JobFailed::class] as $end) {
            $events->listen($end, fn (JobProcessed|JobExceptionOccurred|JobFailed $event) => $jobs->ended($event->job));
        }
        Queue::createPayloadUsing(fn (?string $connection, ?string $queue, array $payload) => BroadcastJobs::addition($payload));
    }
}
