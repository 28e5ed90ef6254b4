import Columns
import Testing

@Suite struct NumberTextTests {
  private func with<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Array(text.utf8).withUnsafeBytes { body($0) }
  }

  @Test func integersAreExactOrRefused() {
    #expect(with("9223372036854775807") { NumberText.parseInt64($0) } == .max)
    #expect(with("-9223372036854775808") { NumberText.parseInt64($0) } == .min)
    #expect(with("+0007") { NumberText.parseInt64($0) } == 7)
    #expect(with("18446744073709551615") { NumberText.parseUInt64($0) } == .max)
    for text in ["", "-", "+", "1.0", " 1", "1 ", "0x1", "9223372036854775808", "99999999999999999999999"] {
      #expect(with(text) { NumberText.parseInt64($0) } == nil)
    }
    #expect(with("-9223372036854775809") { NumberText.parseInt64($0) } == nil)
    #expect(with("18446744073709551616") { NumberText.parseUInt64($0) } == nil)
    #expect(with("-1") { NumberText.parseUInt64($0) } == nil)
    var bytes: [UInt8] = []
    for value in [Int64.min, -10, 0, 9, 10, .max] {
      NumberText.append(value, to: &bytes)
      bytes.append(0x20)
    }
    #expect(String(decoding: bytes, as: UTF8.self) == "-9223372036854775808 -10 0 9 10 9223372036854775807 ")
  }

  @Test func doublesAreTheNearestOnes() {
    let texts = [
      "0", "-0.0", "1", ".5", "5.", "1e22", "1e23", "8.5e22", "9007199254740993", "9007199254740993.0000000001", "0.1", "2.5e-7",
      "1.7976931348623157e308", "4.9e-324", "3e-324", "2.2250738585072011e-308", "123456789012345678901234567890",
      "0.3333333333333333333333333333333", "18446744073709551615", "18446744073709551615e-27", "18446744073709551615e27",
      "6.02214076e23", "1e27", "1e-27", "179769313486231570814527423731704356798070e0",
    ]
    for text in texts { #expect(with(text) { NumberText.parseDouble($0) } == Double(text)!, "\(text)") }
    for text in [
      "", "-", ".", "e5", "1e", "1e+", "1..2", "1 ", " 1", "0x10", "1e400", "-1e400", "1e-400", "-2e-324", "nanx", "infinit", "1,5", "--1",
    ] {
      #expect(with(text) { NumberText.parseDouble($0) } == nil, "\(text)")
    }
    #expect(with("NaN") { NumberText.parseDouble($0) }?.isNaN == true)
    #expect(with("-Infinity") { NumberText.parseDouble($0) } == -.infinity)
    #expect(with("inf") { NumberText.parseDouble($0) } == .infinity)
    #expect(with("1e300") { NumberText.parseFloat($0) } == nil)
    #expect(with("0.1") { NumberText.parseFloat($0) } == 0.1)
    #expect(with("1e-46") { NumberText.parseFloat($0) } == nil)
    for zero in ["0e-999", "0.000e400", "-0"] { #expect(with(zero) { NumberText.parseDouble($0) } == 0, "\(zero)") }
  }

  @Test func randomDoublesReadAsTheStandardLibraryReadsThem() {
    let seed: UInt64 = .random(in: 0 ... .max)
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9
    }
    for _ in 0..<50_000 {
      let bits = Double(bitPattern: next())
      if bits.isFinite && with(NumberText.format(bits), NumberText.parseDouble) != bits {
        Issue.record("\(bits) does not read back, seed \(seed)")
      }
      // Few and many digits with small exponents: the paths that do not ask the C library.
      let text = "\(next() >> (next() % 64))e\(Int(next() % 61) - 30)"
      if with(text, NumberText.parseDouble) != Double(text) { Issue.record("\(text) is read wrong, seed \(seed)") }
    }
  }

  @Test func decimalsKeepEveryDigit() {
    #expect(with("-12.3") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == -1230)
    #expect(with("12.300") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == 1230)
    #expect(with("0.05") { NumberText.parseDecimal($0, precision: 2, scale: 2) } == 5)
    #expect(with("12.345") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == nil)
    #expect(with("1000") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == nil)
    #expect(with("1e3") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == nil)
    #expect(with(".") { NumberText.parseDecimal($0, precision: 5, scale: 2) } == nil)
    let nines = String(repeating: "9", count: 38)
    #expect(with(nines) { NumberText.parseDecimal($0, precision: 38, scale: 0) } == Int128(nines))
    #expect(with(nines + "9") { NumberText.parseDecimal($0, precision: 38, scale: 0) } == nil)
    #expect(NumberText.formatDecimal(-1230, scale: 2) == "-12.30")
    #expect(NumberText.formatDecimal(5, scale: 3) == "0.005")
    #expect(NumberText.formatDecimal(-5, scale: 0) == "-5")
    #expect(NumberText.formatDecimal(.min, scale: 38) == "-1.70141183460469231731687303715884105728")
  }

  @Test func boolsHaveThreeSpellings() {
    for text in ["true", "True", "TRUE"] { #expect(with(text) { NumberText.parseBool($0) } == true) }
    for text in ["false", "False", "FALSE"] { #expect(with(text) { NumberText.parseBool($0) } == false) }
    for text in ["", "t", "1", "tRue", "truee"] { #expect(with(text) { NumberText.parseBool($0) } == nil) }
  }
}
