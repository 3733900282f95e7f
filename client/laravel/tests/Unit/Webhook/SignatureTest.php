<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Webhook;

use InvalidArgumentException;
use Msab\Laravel\Webhook\InvalidSignature;
use Msab\Laravel\Webhook\Signature;
use Msab\Laravel\Webhook\WebhookSecret;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class SignatureTest extends TestCase
{
    /** The example of the Standard Webhooks libraries. */
    private const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

    private const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';

    private const TIMESTAMP = 1614265330;

    private const BODY = '{"test": 2432232314}';

    private const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

    public function test_it_makes_and_takes_the_standards_example(): void
    {
        $signature = self::of(self::SECRET);
        self::assertSame(self::SIGNATURE, $signature->sign(self::ID, self::TIMESTAMP, self::BODY));
        $signature->verify(self::ID, (string) self::TIMESTAMP, self::SIGNATURE, self::BODY, self::TIMESTAMP);
    }

    public function test_any_of_several_signatures_and_secrets_may_match(): void
    {
        $old = 'whsec_'.base64_encode(str_repeat('o', 32));
        $new = 'whsec_'.base64_encode(str_repeat('n', 24));
        $both = self::of($new, $old);
        $header = $both->sign(self::ID, self::TIMESTAMP, self::BODY);
        self::assertCount(2, explode(' ', $header));

        // The relay has both, the application one of them; and the other way round.
        self::of($old)->verify(self::ID, (string) self::TIMESTAMP, "v2,abc {$header}", self::BODY, self::TIMESTAMP);
        $both->verify(self::ID, (string) self::TIMESTAMP, self::of($old)->sign(self::ID, self::TIMESTAMP, self::BODY), self::BODY, self::TIMESTAMP);
    }

    #[DataProvider('edges')]
    public function test_three_hundred_seconds_are_near_enough(int $off, bool $good): void
    {
        if (! $good) {
            $this->expectException(InvalidSignature::class);
            $this->expectExceptionMessage('301 s off');
        }
        self::of(self::SECRET)->verify(self::ID, (string) self::TIMESTAMP, self::SIGNATURE, self::BODY, self::TIMESTAMP + $off);
        $this->addToAssertionCount(1);
    }

    /** @return array<string, array{int, bool}> */
    public static function edges(): array
    {
        return ['late' => [300, true], 'early' => [-300, true], 'too late' => [301, false], 'too early' => [-301, false]];
    }

    #[DataProvider('forgeries')]
    public function test_it_refuses(?string $id, ?string $timestamp, ?string $signatures, string $body): void
    {
        $this->expectException(InvalidSignature::class);
        self::of(self::SECRET)->verify($id, $timestamp, $signatures, $body, self::TIMESTAMP);
    }

    /** @return array<string, array{?string, ?string, ?string, string}> */
    public static function forgeries(): array
    {
        $time = (string) self::TIMESTAMP;

        return [
            'another body' => [self::ID, $time, self::SIGNATURE, self::BODY.' '],
            'another id' => ['msg_2', $time, self::SIGNATURE, self::BODY],
            'another time' => [self::ID, (string) (self::TIMESTAMP + 1), self::SIGNATURE, self::BODY],
            'a time that is none' => [self::ID, "{$time}\n", self::SIGNATURE, self::BODY],
            'no version' => [self::ID, $time, substr(self::SIGNATURE, 3), self::BODY],
            'another version' => [self::ID, $time, 'v2'.substr(self::SIGNATURE, 2), self::BODY],
            'another case' => [self::ID, $time, strtolower(self::SIGNATURE), self::BODY],
            'nothing' => [self::ID, $time, '', self::BODY],
            'no id' => [null, $time, self::SIGNATURE, self::BODY],
            'no timestamp' => [self::ID, null, self::SIGNATURE, self::BODY],
            'no signature' => [self::ID, $time, null, self::BODY],
        ];
    }

    public function test_without_a_secret_nothing_is_valid(): void
    {
        $this->expectException(InvalidSignature::class);
        $this->expectExceptionMessage('MSAB_WEBHOOK_SECRETS');
        (new Signature([]))->verify(self::ID, (string) self::TIMESTAMP, self::SIGNATURE, self::BODY, self::TIMESTAMP);
    }

    #[DataProvider('badSecrets')]
    public function test_a_bad_secret_is_named_by_its_fault(string $secret, string $message): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage($message);
        WebhookSecret::parse($secret);
    }

    /** @return array<string, array{string, string}> */
    public static function badSecrets(): array
    {
        return [
            'no prefix' => ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'starts with "whsec_"'],
            'not base64' => ['whsec_!', 'is base64'],
            'too short' => ['whsec_'.base64_encode(str_repeat('a', 23)), 'this one has 23'],
            'too long' => ['whsec_'.base64_encode(str_repeat('a', 65)), 'this one has 65'],
        ];
    }

    public function test_secrets_come_as_text_or_as_a_list(): void
    {
        self::assertCount(2, WebhookSecret::parseAll(self::SECRET.' , '.self::SECRET));
        self::assertCount(1, WebhookSecret::parseAll([self::SECRET, '']));
        self::assertSame([], WebhookSecret::parseAll(null));
        self::assertStringNotContainsString('MfKQ', print_r(WebhookSecret::parse(self::SECRET), true));
    }

    private static function of(string ...$secrets): Signature
    {
        return new Signature(WebhookSecret::parseAll(array_values($secrets)));
    }
}
