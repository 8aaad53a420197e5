package dev.replistream.room;

class SqliteConsentTest extends ConsentRules {}
