<?php

declare(strict_types=1);

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

/** The outbox: events that wait to be sent, and who sends them. All times are milliseconds since 1970, the database's. */
return new class extends Migration
{
    public function getConnection(): ?string
    {
        return config('msab.outbox.database');
    }

    public function up(): void
    {
        $table = config('msab.outbox.table', 'msab_outbox');
        Schema::connection($this->getConnection())->create($table, function (Blueprint $blueprint) use ($table): void {
            $blueprint->id();
            $blueprint->string('connection', 64);
            $blueprint->unsignedTinyInteger('lane');
            $blueprint->string('event_id', 128);
            $blueprint->string('event_name', 128);
            $blueprint->string('audience', 191);
            // Base64: bytes in a text column need no care on any database.
            $blueprint->longText('body');
            $blueprint->string('state', 8);
            $blueprint->text('error')->nullable();
            $blueprint->bigInteger('occurred_ms');
            $blueprint->bigInteger('expires_ms')->nullable();
            $blueprint->bigInteger('created_ms');
            $blueprint->bigInteger('available_ms');
            // When it was sent, or refused; 0: not yet. Of one size, so that it is changed in place.
            $blueprint->bigInteger('finished_ms')->default(0);
            // The only one: the application's every insert pays for it, and so does every row that is sent.
            $blueprint->index(['state', 'connection', 'id'], "{$table}_due");
        });
        Schema::connection($this->getConnection())->create("{$table}_lanes", function (Blueprint $blueprint): void {
            $blueprint->string('connection', 64);
            $blueprint->unsignedTinyInteger('lane');
            $blueprint->string('owner', 128);
            $blueprint->bigInteger('expires_ms');
            $blueprint->unsignedBigInteger('renewals');
            $blueprint->text('error')->nullable();
            $blueprint->primary(['connection', 'lane']);
        });
        Schema::connection($this->getConnection())->create("{$table}_workers", function (Blueprint $blueprint): void {
            $blueprint->string('connection', 64);
            $blueprint->string('owner', 128);
            $blueprint->unsignedTinyInteger('lanes');
            $blueprint->bigInteger('expires_ms');
            $blueprint->primary(['connection', 'owner']);
        });
    }

    public function down(): void
    {
        $table = config('msab.outbox.table', 'msab_outbox');
        Schema::connection($this->getConnection())->dropIfExists("{$table}_workers");
        Schema::connection($this->getConnection())->dropIfExists("{$table}_lanes");
        Schema::connection($this->getConnection())->dropIfExists($table);
    }
};
