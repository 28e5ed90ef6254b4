import Testing

@testable import History

@Suite struct RevisionTimeTests {
  @Test func timesWithAnOffset() {
    #expect(RevisionTime.parse("1970-01-01T00:00:00Z") == 0)
    #expect(RevisionTime.parse("2026-02-01T00:00:00Z") == 1_769_904_000_000_000)
    #expect(RevisionTime.parse("2026-02-01 02:30:00.1234567+02:30") == 1_769_904_000_123_456)
    #expect(RevisionTime.parse("1969-12-31t23:59:59.999999z") == -1)
    #expect(RevisionTime.parse("2024-02-29T12:00:00-01:00") == 1_709_211_600_000_000)
    #expect(RevisionTime.parse("0000-01-01T00:00:00Z") == -62_167_219_200_000_000)
  }

  @Test(arguments: [
    "", "2026-02-01", "2026-02-01T00:00:00", "2026-02-01T00:00Z", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
    "2026-02-01T24:00:00Z", "2026-02-01T00:00:00.Z", "2026-02-01T00:00:00+0100", "2026-02-01T00:00:00Zx", "２026-02-01T00:00:00Z",
  ])
  func otherTextsAreNoTime(_ text: String) {
    #expect(RevisionTime.parse(text) == nil)
  }

  @Test func textIsReadBack() {
    for micros: Int64 in [0, -1, 1, 1_769_904_000_123_456, -62_167_219_200_000_000, 253_402_300_799_999_999] {
      #expect(RevisionTime.parse(RevisionTime.text(ofMicros: micros)) == micros)
    }
    #expect(RevisionTime.text(ofMicros: -1) == "1969-12-31T23:59:59.999999Z")
  }
}
