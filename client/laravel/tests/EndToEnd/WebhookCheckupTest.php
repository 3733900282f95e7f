<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Relay\SendGift;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;
use Msab\Laravel\Tests\RelayTestCase;
use Msab\Laravel\Tests\Support\Diagnoses;
use Msab\Laravel\Tests\Support\Ports;
use Msab\Laravel\Tests\Support\SharesDatabase;
use Msab\Laravel\Tests\Support\SignedPost;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Webhook\WebhookCheckup;
use PHPUnit\Framework\Attributes\Group;

/** What the doctor says of the webhook; a real relay says its part. */
#[Group('long')]
final class WebhookCheckupTest extends RelayTestCase
{
    use SharesDatabase {
        environment as databaseEnvironment;
    }

    protected function startRelay(): TestRelay
    {
        return TestRelay::started([
            'MSAB_LARAVEL_WEBHOOK_URL' => 'http://127.0.0.1:'.Ports::free().'/msab/webhook',
            'MSAB_LARAVEL_WEBHOOK_SECRETS' => SignedPost::SECRET,
        ]);
    }

    protected function environment(): array
    {
        return ['MSAB_WEBHOOK_SECRETS' => SignedPost::SECRET] + $this->databaseEnvironment();
    }

    public function test_it_finds_what_keeps_gifts_from_arriving(): void
    {
        $this->useDatabase('sqlite');
        $this->assertFinds(false, 'Webhook secrets 1', 'Webhook route POST /msab/webhook', 'Webhook receipts msab_receipts', 'Gifts a GiftHandler is bound', 'says the relay well');

        config(['msab.webhook.gifts' => SendGift::class]);
        $this->assertFinds(false, 'Gifts App\Relay\SendGift');
        config(['msab.webhook.gifts' => self::class]);
        $this->assertFinds(true, 'is no class that implements');
        config(['msab.webhook.gifts' => null]);

        Schema::drop('msab_receipts');
        $this->assertFinds(true, 'no msab_receipts on the connection \'sqlite\'');

        config(['msab.webhook.secrets' => 'whsec_short']);
        $this->assertFinds(true, 'MSAB_WEBHOOK_SECRETS: After "whsec_" a webhook secret is base64');
        config(['msab.webhook.secrets' => null]);
        $this->assertFinds(false, 'Webhook not set up');
    }

    public function test_a_route_in_its_way_is_named(): void
    {
        $this->useDatabase('sqlite');
        Route::post('/msab/webhook', fn () => 'mine')->name('mine');
        Route::getRoutes()->refreshNameLookups();
        $this->assertFinds(true, 'is the route \'mine\'');
    }

    public function test_the_relays_own_word_is_told(): void
    {
        $this->useDatabase('sqlite');
        $client = $this->relay->connect(1);
        $client->join('7');
        // Nobody listens there.
        $client->request('gift:send', ['roomId' => '7', 'giftId' => 1, 'recipientId' => 2]);
        $this->assertFinds(true, 'says the relay', 'onnect');

        $without = TestRelay::started();
        config(['msab.connections.default.http.url' => "http://127.0.0.1:$without->httpPort"]);
        $this->assertFinds(true, 'it has none: set its laravel webhook_url');
        $without->kill();
        $this->assertFinds(false, 'not asked');
    }

    private function assertFinds(bool $ill, string ...$lines): void
    {
        [$isIll, $output] = Diagnoses::of($this->app->make(WebhookCheckup::class));
        foreach ($lines as $line) {
            $this->assertStringContainsString($line, $output);
        }
        $this->assertSame($ill, $isIll, $output);
    }
}
