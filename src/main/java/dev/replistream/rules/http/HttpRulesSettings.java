package dev.replistream.rules.http;

import java.net.URI;
import java.time.Duration;

/// Where an application's rules are.
///
/// @param url http or https, with a host and without a user
/// @param secret what signs the requests
/// @param timeout how long one request may take, from its connection to the end of its answer
public record HttpRulesSettings(URI url, WebhookSecret secret, Duration timeout) {}
