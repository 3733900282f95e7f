<?php

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('agencies', function (Blueprint $table) {
            $table->id();
            $table->string('name');
            $table->string('logo')->nullable();
            $table->foreignId('owner_id');
            $table->timestamps();
        });
        Schema::create('agency_members', function (Blueprint $table) {
            $table->foreignId('agency_id');
            $table->foreignId('user_id');
            $table->primary(['agency_id', 'user_id']);
        });
        Schema::create('agency_invitations', function (Blueprint $table) {
            $table->id();
            $table->foreignId('agency_id');
            $table->foreignId('user_id');
            $table->foreignId('inviter_id');
            $table->timestamps();
        });
        Schema::create('agency_join_requests', function (Blueprint $table) {
            $table->id();
            $table->foreignId('agency_id');
            $table->foreignId('user_id');
            $table->string('message')->nullable();
            $table->string('state')->default('waiting');
            $table->timestamps();
        });
        Schema::create('badges', function (Blueprint $table) {
            $table->id();
            $table->string('name');
            $table->string('image_url');
            $table->string('category');
            $table->timestamps();
        });
        Schema::create('rewards', function (Blueprint $table) {
            $table->id();
            $table->string('type');
            $table->string('amount');
            $table->string('description');
            $table->timestamps();
        });
        Schema::create('income_targets', function (Blueprint $table) {
            $table->id();
            $table->unsignedInteger('tier');
            $table->unsignedBigInteger('reward_coins');
            $table->timestamps();
        });
        Schema::create('rooms', function (Blueprint $table) {
            $table->id();
            $table->string('name');
            $table->unsignedInteger('level')->default(1);
            $table->unsignedBigInteger('xp')->default(0);
            $table->timestamps();
        });
    }
};
