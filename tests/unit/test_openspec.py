"""The specs keep their form, and every requirement has a test that proves it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "openspec" / "specs").glob("*/spec.md"))
CHANGES = [
    path
    for path in sorted((ROOT / "openspec" / "changes").glob("*"))
    if path.is_dir() and path.name != "archive"
]

PROTOCOL = "unit/signaling/test_protocol.py"
ROOMS = "integration/test_rooms.py"

LOCAL = "integration/test_local_engine.py"
HOST = "integration/test_engine_host.py"
DIARIZE = "integration/test_diarize.py"
CLUSTERING = "unit/stt/diarize/test_clustering.py"
SPEAKERS = "unit/transcripts/test_speakers.py"
DECODE = "unit/recordings/test_decode.py"
READING = "unit/stt/host/test_reading.py"
WORKER = "unit/stt/host/test_worker.py"

APP = "integration/test_app.py"
STOPPING = "integration/test_stopping.py"
MANAGER = "unit/rooms/test_manager.py"

NETWORK = "integration/test_bad_network.py"
RECEPTION = "unit/rooms/test_reception.py"
CLIENT = "integration/test_signaling_client.py"
DELIVERY = "unit/rooms/test_delivery.py"
RECOGNITION = "unit/hearing/test_recognition.py"
FAULTS = "unit/hearing/test_recognition_faults.py"
READERS = "integration/test_readers.py"
PUBLICATION = "unit/rooms/test_publication.py"
BACKENDS = "integration/test_backends.py"
FAILOVER = "unit/stt/test_failover.py"
RETURNS = "integration/test_room_returns.py"

PROVED_BY = {
    "readers/Who reads": [
        f"{READERS}::test_each_reads_what_it_asked_for",
        f"{READERS}::test_a_new_session_of_the_server_keeps_readers",
        f"{PUBLICATION}::test_a_page_that_is_known_late_reads_from_then_on",
    ],
    "readers/History": [
        f"{PUBLICATION}::test_history_is_as_long_as_the_settings_say",
        f"{PUBLICATION}::test_many_who_come_late_hold_up_nobody",
        f"{PUBLICATION}::test_what_was_said_in_one_room_is_no_history_of_another",
        "unit/rooms/test_history.py::test_what_nobody_had_translated_is_there_as_it_was_said",
    ],
    "readers/Never twice": [
        f"{PUBLICATION}::test_who_asked_and_is_in_the_call_reads_it_once",
    ],
    "readers/Grace": [
        f"{READERS}::test_a_room_without_readers_ends_after_a_grace",
        f"{READERS}::test_who_comes_back_within_the_grace_reads_on",
    ],
    "readers/Too many readers": [
        f"{MANAGER}::test_too_many_readers",
    ],
    "readers/Language": [
        f"{PUBLICATION}::test_a_change_of_the_language_loses_nothing",
        f"{READERS}::test_the_next_caption_has_the_new_language",
    ],
    "readers/Kept while not running": [
        f"{MANAGER}::test_readers_are_kept_over_a_restart",
        f"{MANAGER}::test_who_withdraws_from_a_room_that_does_not_run_is_not_asked_for_again",
        f"{MANAGER}::test_a_room_that_waits_is_begun_as_it_was",
    ],
    "readers/Quotas": [
        f"{MANAGER}::test_rooms_of_one_key_are_limited",
        f"{MANAGER}::test_speakers_of_one_key_are_limited",
    ],
    "readers/Several Nextclouds": [
        f"{BACKENDS}::test_the_same_token_is_another_room_in_each",
        f"{BACKENDS}::test_the_limits_of_the_process_are_for_all",
        f"{BACKENDS}::test_each_keeps_its_rooms_in_a_folder_of_its_own",
        f"{BACKENDS}::test_engines_of_the_same_options_are_shared",
        f"{BACKENDS}::test_a_default_language_that_nobody_understands",
    ],
    "engines/Languages": [
        f"{FAILOVER}::test_an_engine_is_told_a_language_by_its_own_code",
        f"{FAILOVER}::test_where_the_language_is_heard_only_who_hears_it_is_asked",
        "integration/test_kyutai_engine.py::test_the_language_need_not_be_told",
        "integration/test_moshi_engine.py::test_the_language_need_not_be_told",
        f"{LOCAL}::test_it_understands_english_only",
    ],
    "engines/Change of the language": [
        f"{RECOGNITION}::test_the_language_changes_at_a_pause",
        f"{RECOGNITION}::test_the_language_changes_in_a_monologue_too",
        f"{RECOGNITION}::test_who_is_silent_speaks_the_new_language_from_the_first_word",
        f"{FAULTS}::test_changes_of_the_language_cost_no_word",
        f"{FAULTS}::test_changes_of_the_language_beside_faults_cost_no_word",
    ],
    "engines/Noise": [f"{RECOGNITION}::test_noise_is_no_loss_where_others_are_understood"],
    "caption-delivery/Both modes": [
        f"{RECOGNITION}::test_words_are_captioned_in_both_modes",
        f"{FAULTS}::test_streams_that_break_cost_no_word",
    ],
    "command-line/Demo": [
        "integration/test_demo.py::test_demo_once_as_json_captions_both_speakers",
        "integration/test_demo.py::test_demo_without_captions_fails",
        "system/test_demo_page.py::test_page_shows_the_speakers_and_ones_own_words",
    ],
    "room-control/Leave by itself": [
        f"{ROOMS}::test_the_room_is_left_when_the_call_ends",
        f"{ROOMS}::test_the_room_is_left_when_only_bots_remain",
    ],
    "room-control/Overload": [
        f"{APP}::test_a_late_loop_takes_no_more_and_recovers",
        f"{APP}::test_too_much_memory_takes_no_more",
        f"{MANAGER}::test_overload_keeps_what_runs",
        "unit/overload/test_gate.py::test_never_shuts_twice_within_the_calm_time",
        "unit/overload/test_gate.py::test_higher_values_never_open_it_earlier",
    ],
    "room-control/Restart": [
        f"{STOPPING}::test_rooms_come_back_after_a_restart",
        f"{STOPPING}::test_a_broken_state_file_stops_nobody",
        "unit/rooms/test_keeper.py::test_a_full_disk_is_told_counted_and_tried_again",
        "unit/rooms/test_state.py::test_only_the_owner_can_read_it",
    ],
    "room-control/Drain": [
        f"{STOPPING}::test_the_second_signal_ends_it_at_once",
        f"{STOPPING}::test_a_signal_while_the_engine_loads",
        f"{STOPPING}::test_from_the_first_signal_on_nothing_new_is_taken",
        f"{APP}::test_the_deadlines_fit_into_each_other",
        "integration/test_app.py::test_stopping_says_bye_to_every_room",
        "system/test_leaving.py::test_stopping_in_the_middle_of_speech_loses_no_words",
    ],
    "signaling-session/Hello": [
        "unit/signaling/test_auth.py::test_token_is_what_openssl_computes",
        f"{PROTOCOL}::test_the_way_into_a_room",
        f"{PROTOCOL}::test_a_silent_server_is_given_up_at_the_deadline",
        "integration/test_signaling_client.py::test_a_wrong_secret_is_tried_once",
    ],
    "signaling-session/Resume": [
        f"{PROTOCOL}::test_resume_within_the_window",
        f"{PROTOCOL}::test_after_the_window_there_is_a_full_hello_at_once",
        f"{ROOMS}::test_after_an_expired_session_the_speakers_are_asked_for_anew",
    ],
    "signaling-session/Reconnect": [
        "unit/test_backoff.py::test_delays_grow_within_their_bounds",
        "integration/test_signaling_client.py::test_a_server_that_is_not_there_is_tried_again",
    ],
    "signaling-session/Whom it listens to": [
        "unit/rooms/test_roster.py::test_we_and_bots_never_speak_nor_read",
        f"{PROTOCOL}::test_we_never_subscribe_to_ourselves",
    ],
    "signaling-session/Requests": [
        f"{PROTOCOL}::test_one_request_in_flight_per_speaker",
        f"{PROTOCOL}::test_a_refused_request_is_repeated_later",
        f"{PROTOCOL}::test_a_request_without_an_answer_is_repeated",
    ],
    "signaling-session/Offers": [
        f"{PROTOCOL}::test_an_offer_is_answered_with_its_sid_or_none",
        f"{PROTOCOL}::test_offers_of_unwanted_sessions_and_screens_are_ignored",
    ],
    "signaling-session/Garbage": [
        f"{PROTOCOL}::test_whatever_arrives_only_signaling_errors_leave",
        "integration/test_signaling_client.py::test_garbage_on_the_socket_does_no_harm",
        "integration/test_signaling_fuzz.py::test_ten_thousand_messages",
        "unit/signaling/test_translate.py::test_ids_that_cannot_be_are_none",
    ],
    "signaling-session/Refusals": [
        f"{PROTOCOL}::test_a_refused_hello",
        f"{PROTOCOL}::test_a_resume_is_tried_once",
        f"{CLIENT}::test_a_refused_resume_is_not_repeated",
        f"{CLIENT}::test_a_locked_out_address_waits_for_minutes",
    ],
    "signaling-session/Dead sockets": [
        f"{CLIENT}::test_a_frozen_socket_is_given_up_and_resumed",
        f"{CLIENT}::test_leaving_a_frozen_socket_takes_no_longer_than_its_deadlines",
    ],
    "signaling-session/Where the call goes": [
        f"{PROTOCOL}::test_following_into_a_breakout_room_and_back",
        f"{PROTOCOL}::test_a_room_that_is_closed_is_over_once",
        f"{CLIENT}::test_a_breakout_room_is_followed",
    ],
    "signaling-session/Limit of a message": [
        "unit/signaling/test_outgoing.py::test_messages_keep_their_order_and_none_is_too_long",
        f"{CLIENT}::test_a_caption_that_is_too_long_for_the_server_ends_one_connection",
    ],
    "signaling-session/Conversation of a room": [
        "unit/signaling/test_replay.py::test_every_recorded_fault_ends_as_documented",
        "unit/signaling/test_replay.py::test_no_recorded_fault_is_left_out",
    ],
    "signaling-session/Bye": [
        f"{PROTOCOL}::test_leaving_says_bye_and_cannot_be_resumed",
    ],
    "audio-ingest/Receive only": [
        "integration/test_peer.py::test_video_is_declined",
        "integration/test_peer.py::test_video_of_unknown_codecs_does_not_cost_the_audio",
    ],
    "audio-ingest/Ways to the media server": [
        "integration/test_peer.py::test_no_server_is_ever_added",
        "system/test_networks.py::test_words_come_through_a_relay",
    ],
    "audio-ingest/Certificates": [
        "integration/test_peer.py::test_an_rsa_certificate_is_accepted",
        "system/test_networks.py::test_words_come_from_janus_with_an_rsa_certificate",
    ],
    "audio-ingest/Form": [
        "unit/audio/test_pipeline.py::test_any_cutting_gives_the_same_chunks",
        "unit/audio/test_pipeline.py::test_the_chunk_length_is_chosen",
    ],
    "audio-ingest/Time": [
        "unit/audio/test_pipeline.py::test_chunks_carry_session_time",
        "unit/audio/test_pipeline.py::test_silence_by_timer_brings_the_last_word_out",
        "system/test_captions.py::test_silence_that_is_not_sent_costs_no_words",
    ],
    "audio-ingest/Losses are made up for": [
        f"{NETWORK}::test_losses_are_restored_from_the_copies",
        f"{NETWORK}::test_losses_without_copies_are_concealed",
        f"{NETWORK}::test_a_blackout_is_told",
    ],
    "audio-ingest/Packets in order": [
        f"{NETWORK}::test_disorder_and_duplicates_change_nothing",
        f"{NETWORK}::test_what_waits_for_a_lost_packet_comes_out_when_nothing_follows",
        "unit/media/test_jitter.py::test_what_comes_in_order_waits_for_nothing",
    ],
    "audio-ingest/Opus only": [
        "integration/test_peer.py::test_audio_in_another_codec_is_said_so",
    ],
    "audio-ingest/Closing": [
        "integration/test_peer.py::test_a_dead_turn_server_holds_up_no_goodbye",
        "integration/test_peer.py::test_leaving_while_a_turn_server_is_asked_leaves_nothing",
        "integration/test_many_peers.py::test_peers_leave_nothing",
    ],
    "audio-ingest/Bounded backlog": [
        "unit/hearing/test_backlog.py::test_the_oldest_go_first",
    ],
    "audio-ingest/Faults stay with the speaker": [
        f"{ROOMS}::test_a_broken_offer_harms_nobody_else",
        f"{ROOMS}::test_a_lost_peer_is_asked_for_again",
    ],
    "stt-endpoint/Kyutai stream": [
        "unit/stt/test_wire.py::test_samples_are_little_endian_floats",
        "unit/stt/test_wire.py::test_spaced_pieces_are_concatenated",
        "unit/stt/test_wire.py::test_documented_dialect",
        "unit/stt/test_wire.py::test_garbage_is_an_engine_error",
    ],
    "stt-endpoint/Address and keys": [
        "integration/test_kyutai_engine.py::test_keys_are_shown_to_the_endpoint",
        "integration/test_kyutai_engine.py::test_keys_do_not_follow_a_redirect",
        "integration/test_kyutai_engine.py::test_refusal_is_final_and_names_the_cure",
        "unit/settings/test_engines.py::test_modal_keys_stay_with_modal",
    ],
    "stt-endpoint/Last words": [
        "integration/test_kyutai_engine.py::test_last_word_comes_with_the_silence_of_the_flush",
        "integration/test_moshi_engine.py::test_audio_that_ends_within_a_word",
    ],
    "stt-endpoint/Moshi stream": [
        "integration/test_moshi_engine.py::test_audio_sent_before_a_late_ready_is_not_lost",
        "integration/test_moshi_engine.py::test_no_free_channel_is_its_own_error",
        "integration/test_moshi_engine.py::test_error_of_the_server_ends_the_stream",
        "unit/stt/test_moshi_wire.py::test_pause_is_told_once_after_the_delay",
    ],
    "stt-endpoint/Serving": [
        "integration/test_stt_server.py::test_remote_words_are_the_local_words",
        "integration/test_stt_server.py::test_bad_arguments_are_told_before_serving",
        "integration/test_stt_server.py::test_wrong_keys_are_refused_on_the_upgrade",
    ],
    "local-engines/Choice": [
        "unit/stt/test_registry.py::test_an_unknown_engine_is_said_so_with_those_there_are",
        "unit/stt/test_registry.py::test_a_missing_dependency_names_the_extra",
    ],
    "local-engines/No download": [
        "unit/stt/local/test_files.py::test_a_missing_file_is_named_with_its_cure",
        f"{LOCAL}::test_a_missing_model_is_told_with_its_cure",
    ],
    "local-engines/Quality": [
        f"{LOCAL}::test_the_words_are_those_of_the_recording",
        "unit/stt/local/test_streaming.py::test_the_words_are_those_of_the_final_pass",
    ],
    "local-engines/Own process": [
        f"{LOCAL}::test_a_killed_worker_fails_its_streams_and_is_replaced",
        f"{LOCAL}::test_nothing_is_left_and_no_model_is_loaded_here",
    ],
    "speakers/Told apart": [
        f"{DIARIZE}::test_two_people_are_told_apart",
        f"{DIARIZE}::test_silence_is_nobody",
    ],
    "speakers/Given number": [
        f"{DIARIZE}::test_the_number_of_people_can_be_given",
        f"{CLUSTERING}::test_as_many_people_as_given",
        f"{CLUSTERING}::test_a_noise_is_nobody",
        f"{CLUSTERING}::test_noises_together_are_nobody_either",
    ],
    "speakers/Long recordings": [
        f"{CLUSTERING}::test_long_recordings_are_condensed",
        "unit/stt/diarize/test_hearing.py::test_progress_never_goes_back_and_ends_at_the_end",
    ],
    "speakers/Process of its own": [
        f"{DIARIZE}::test_a_killed_process_is_an_error",
        f"{DIARIZE}::test_a_process_that_goes_wrong_is_an_error",
        f"{DIARIZE}::test_too_little_memory_is_an_error",
        f"{DIARIZE}::test_a_cancelled_task_leaves_no_process",
        f"{DIARIZE}::test_the_process_does_not_outlive_its_parent",
        "unit/stt/diarize/test_community.py::test_without_the_package_the_extra_is_named",
    ],
    "speakers/Words of speakers": [
        f"{SPEAKERS}::test_no_word_is_lost_moved_or_changed",
        f"{SPEAKERS}::test_an_utterance_is_parted_where_the_speaker_changes",
        f"{SPEAKERS}::test_a_single_word_that_both_may_have_said_does_not_change_the_speaker",
        f"{SPEAKERS}::test_a_single_word_said_while_the_other_is_silent_stays",
        f"{SPEAKERS}::test_names_count_from_one_without_gaps",
    ],
    "recordings/Any recording": [
        f"{DECODE}::test_a_tone_stays_a_tone",
        f"{DECODE}::test_length_is_exact",
    ],
    "recordings/Player's time": [
        f"{DECODE}::test_a_pause_stays_a_pause",
        f"{DECODE}::test_sound_that_begins_after_the_picture",
        "unit/recordings/test_clock.py::test_silence_has_an_end",
    ],
    "recordings/Broken recordings": [
        "integration/test_broken_recordings.py::test_sound_comes",
        "integration/test_broken_recordings.py::test_a_clear_line_comes",
    ],
    "recordings/Nothing else opened": [
        "integration/test_broken_recordings.py::test_a_playlist_opens_nothing_even_where_it_is_let_in",
    ],
    "engine-host/Warm models": [
        f"{HOST}::test_another_model_comes_and_goes",
        f"{HOST}::test_a_model_that_cannot_be_had_harms_nobody",
    ],
    "engine-host/Files": [
        f"{HOST}::test_faults_of_one_file_are_its_own",
        f"{HOST}::test_a_file_that_is_cancelled_is_forgotten",
        f"{WORKER}::test_a_file_is_read_to_its_end",
    ],
    "engine-host/Workers die": [
        f"{HOST}::test_a_worker_killed_in_the_middle_of_a_file",
        f"{READING}::test_a_worker_may_die_anywhere",
        f"{READING}::test_a_file_that_kills_twice_at_the_same_place_is_given_up",
        f"{READING}::test_a_file_that_gets_nowhere_is_given_up",
    ],
    "engine-host/Turns": [
        f"{WORKER}::test_files_take_turns_and_people_come_first",
        f"{HOST}::test_too_many_files_wait_no_longer",
    ],
    "engine-host/Limits": [
        f"{LOCAL}::test_a_worker_that_takes_too_much_memory_is_replaced",
        f"{HOST}::test_a_worker_stays_on_its_cores",
    ],
    "engine-host/Language": [
        f"{WORKER}::test_the_language_is_found_out_by_enough_speech",
        f"{HOST}::test_languages_that_the_model_does_not_know",
    ],
    "caption-delivery/Readers": [
        f"{ROOMS}::test_a_speakers_words_reach_everybody_in_the_call",
        "system/test_captions.py::test_two_at_once_each_get_their_own_captions",
    ],
    "caption-delivery/Append": [
        "unit/captions/test_segmenter.py::test_appended_captions_are_final",
        "unit/captions/test_segmenter.py::test_a_stop_never_stands_alone",
    ],
    "caption-delivery/Replace": [
        "unit/captions/test_segmenter.py::test_a_caption_grows_until_its_sentence_ends",
        "unit/captions/test_segmenter.py::test_tentative_text_is_shown_and_taken_back",
    ],
    "caption-delivery/Readable pieces": [
        "unit/captions/test_segmenter.py::test_a_monologue_is_cut_at_a_word",
        "unit/captions/test_text.py::test_spaces_are_where_the_writing_has_them",
    ],
    "caption-delivery/Order": [
        "unit/rooms/test_outbox.py::test_order_holds_and_finals_stay",
        "unit/rooms/test_outbox.py::test_the_oldest_go_when_the_writer_is_stuck",
        f"{DELIVERY}::test_captions_wait_until_it_is_known_who_is_in_the_call",
    ],
    "caption-delivery/Confirmation": [
        f"{DELIVERY}::test_what_the_socket_swallowed_is_sent_again",
        f"{DELIVERY}::test_no_cut_loses_or_turns_a_caption",
        f"{DELIVERY}::test_after_a_restart_captions_wait_for_people",
        f"{CLIENT}::test_no_caption_is_lost_or_turned_over_fifty_cuts",
        "unit/rooms/test_roster.py::test_who_comes_back_is_known_by_the_account",
    ],
    "caption-delivery/Notices": [
        f"{DELIVERY}::test_an_outage_of_many_speakers_is_told_each_reader_once",
        f"{DELIVERY}::test_notices_can_be_switched_off",
        "unit/captions/test_notice.py::test_it_is_told_in_the_language_of_the_room",
    ],
    "recovery/Lost streams": [
        f"{FAULTS}::test_streams_that_break_cost_no_word",
        f"{RECOGNITION}::test_no_word_is_lost_or_doubled_where_a_stream_breaks",
        f"{RECOGNITION}::test_who_left_during_an_outage_is_still_captioned",
        f"{RECOGNITION}::test_audio_that_ends_every_stream_is_given_up_and_told",
    ],
    "recovery/Deaf streams": [
        f"{FAULTS}::test_streams_that_grow_deaf_cost_no_word",
        f"{RECOGNITION}::test_a_deaf_stream_is_given_up_and_its_audio_kept",
        "unit/stt/test_stall.py::test_steady_noise_is_no_speech",
    ],
    "recovery/Sessions without a seam": [
        f"{RECOGNITION}::test_a_session_is_changed_at_a_pause_before_the_endpoint_ends_it",
    ],
    "recovery/Gaps": [
        f"{RECOGNITION}::test_what_no_engine_heard_is_told_as_a_gap",
        f"{RECOGNITION}::test_lost_silence_is_no_gap",
        "unit/rooms/test_losses.py::test_every_lost_second_is_counted_once",
        "unit/rooms/test_losses.py::test_what_goes_on_is_a_trouble",
    ],
    "recovery/Lost audio": [
        f"{RECEPTION}::test_a_path_that_is_dead_for_3_s_heals",
        f"{RECEPTION}::test_a_path_that_is_dead_for_12_s_heals",
        f"{RECEPTION}::test_a_path_that_is_dead_for_40_s_is_replaced",
        f"{RECEPTION}::test_a_media_server_that_says_goodbye",
        f"{RECEPTION}::test_a_media_server_that_is_killed",
        f"{ROOMS}::test_a_dead_path_is_noticed_and_heals",
    ],
    "recovery/Silent connections": [
        f"{RECEPTION}::test_a_microphone_that_is_off_for_an_hour",
        f"{RECEPTION}::test_somebody_muted_is_left_alone",
        f"{RECEPTION}::test_a_server_that_forgets_to_say_that_the_speaker_is_gone",
    ],
    "recovery/Gone speakers": [
        f"{RECEPTION}::test_a_speaker_whose_browser_crashed_is_no_gap",
        f"{RECEPTION}::test_a_media_server_that_has_lost_the_speaker_is_a_gap",
        f"{RECEPTION}::test_a_ghost_is_not_hammered",
    ],
    "recovery/Lost packets": [
        f"{RECEPTION}::test_heavy_loss_is_told",
        "unit/rooms/test_packet_loss.py::test_heavy_loss_is_told_to_the_last_packet",
        "unit/rooms/test_packet_loss.py::test_light_loss_is_made_up_for",
        "unit/media/test_jitter.py::test_reordered_and_doubled_packets_come_out_as_if_in_order",
    ],
    "recovery/Floods of offers": [
        f"{RECEPTION}::test_a_flood_of_offers_is_not_answered",
        "unit/rooms/test_inbox.py::test_a_flood_of_offers_is_refused",
    ],
    "recovery/Nothing stays behind": [
        "soak/test_soak.py::test_a_busy_call_leaves_nothing_behind",
    ],
    "observability/Tasks": [
        "unit/test_lag.py::test_tasks_are_counted_while_they_run",
    ],
    "recovery/No silent loss": [
        "faults/test_faults.py::test_fault",
    ],
    "recovery/Returns": [
        f"{RETURNS}::test_an_empty_room_after_a_restart_is_not_left_at_once",
        f"{RETURNS}::test_the_first_words_after_a_restart_tell_of_those_that_are_missing",
    ],
    "recovery/Moves": [
        f"{RETURNS}::test_a_call_that_moves_to_another_room_is_followed",
    ],
}
"""Requirements whose tests do not name them in their own docstrings."""

_HEADING = re.compile(r"^#{3,4} (Requirement|Scenario): (.+)$", re.MULTILINE)
_REFERENCES = re.compile(r"Spec:((?:\s+[a-z-]+/[^,.]+[,.])+)")
_REFERENCE = re.compile(r"([a-z-]+/[^,.]+)[,.]")


def sections(path: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the title and the text of each requirement or scenario."""
    text = path.read_text(encoding="utf-8")
    found = list(_HEADING.finditer(text))
    for heading, following in zip(found, [*found[1:], None], strict=True):
        if heading[1] == kind:
            yield heading[2], text[heading.end() : following.start() if following else None]


def requirements() -> list[str]:
    """Return all of them, as `capability/requirement`."""
    return [
        f"{path.parent.name}/{title}"
        for path in SPECS
        for title, _ in sections(path, "Requirement")
    ]


@pytest.fixture(scope="module")
def tests() -> dict[str, str]:
    """Return the docstring of every test there is, by `file::name`."""
    found = {}
    for path in (ROOT / "tests").glob("**/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                key = f"{path.relative_to(ROOT / 'tests')}::{node.name}"
                found[key] = ast.get_docstring(node) or ""
    return found


def named(tests: dict[str, str]) -> set[str]:
    """Return the requirements that docstrings name."""
    return {
        " ".join(reference.split())
        for docstring in tests.values()
        for part in _REFERENCES.findall(docstring)
        for reference in _REFERENCE.findall(part)
    }


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.parent.name))
def test_scenarios_say_when_and_then(path: Path) -> None:
    """A scenario that could not fail is none."""
    scenarios = dict(sections(path, "Scenario"))

    assert scenarios
    for title, text in scenarios.items():
        assert "- **WHEN** " in text, title
        assert "- **THEN** " in text, title


@pytest.mark.parametrize("requirement", requirements())
def test_requirement_has_a_test(requirement: str, tests: dict[str, str]) -> None:
    """Each is named by a docstring or by the table above, whose tests exist."""
    proofs = PROVED_BY.get(requirement, [])

    assert proofs or requirement in named(tests), f"no test proves {requirement}"
    assert not [proof for proof in proofs if proof not in tests]


def test_tests_name_requirements_that_exist(tests: dict[str, str]) -> None:
    """A renamed requirement does not leave its tests pointing nowhere."""
    assert named(tests) | set(PROVED_BY) <= set(requirements())


def test_changes_have_a_proposal() -> None:
    """Whoever reads a change learns why; the validator does not ask."""
    assert not [path.name for path in CHANGES if not (path / "proposal.md").is_file()]


def test_every_capability_is_listed() -> None:
    """`project.md` names each capability once, and no other."""
    text = (ROOT / "openspec" / "project.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)

    assert sorted(listed) == [path.parent.name for path in SPECS]
