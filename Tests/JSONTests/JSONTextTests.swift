import JSON
import Testing

@Suite struct JSONTextTests {
  @Test func writesSortedMembersAndMarkedDoubles() {
    let value: JSON = ["b": [1.0, 1e16, -0.5, 3], "a": "q\"\\\u{1}\n/é", "c": nil, "d": [], "e": [:]]
    #expect(value.text() == #"{"a":"q\"\\\u0001\n/é","b":[1.0,1e+16,-0.5,3],"c":null,"d":[],"e":{}}"#)
    #expect(JSON.array([.double(.nan), .double(.infinity), .double(-.infinity)]).text() == #"["NaN","Infinity","-Infinity"]"#)
    #expect(JSON.array([.int(.min), .uint(.max)]).text() == "[-9223372036854775808,18446744073709551615]")
  }

  @Test func indentsWhenPretty() {
    let value: JSON = ["a": [1, ["b": true]], "c": [], "d": [:]]
    #expect(
      value.text(pretty: true) == """
        {
          "a": [
            1,
            {
              "b": true
            }
          ],
          "c": [],
          "d": {}
        }
        """)
  }

  /// The sample of RFC 8785 §3.2.2, and the order of §3.2.3.
  @Test func canonicalFormFollowsTheScheme() throws {
    let sample = try JSON(
      parsing: #"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"#
        + #""string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#)
    #expect(
      String(decoding: sample.canonicalBytes, as: UTF8.self)
        == #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
        + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#)
    let order: JSON = ["\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7]
    #expect(
      String(decoding: order.canonicalBytes, as: UTF8.self)
        == "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}")
  }

  /// RFC 8785, appendix B.
  @Test(
    arguments: [
      (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
      (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
      (0x4430_0000_0000_0000, "295147905179352830000"), (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
      (0x44b5_2d02_c7e1_4af6, "1e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
      (0x444b_1ae4_d6e2_ef50, "1e+21"), (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
      (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x41b3_de43_5555_5553, "333333333.3333332"),
      (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    ] as [(UInt64, String)])
  func canonicalDoublesAreECMAScripts(_ bits: UInt64, _ text: String) {
    #expect(String(decoding: JSON.double(Double(bitPattern: bits)).canonicalBytes, as: UTF8.self) == text)
  }

  @Test func writerAppendsInPlace() {
    var writer = JSONWriter(byteCapacity: 64)
    writer.raw("{")
    writer.appendString("k\u{7f}\u{1f}")
    writer.raw(":[")
    writer.appendInt(.min)
    writer.raw(",")
    writer.appendInt(0)
    writer.raw(",")
    writer.appendUInt(.max)
    writer.raw(",")
    writer.appendDouble(100)
    writer.raw(",")
    writer.appendDouble(.nan)
    writer.raw("]}")
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == "{\"k\u{7f}\\u001f\":[-9223372036854775808,0,18446744073709551615,100.0,\"NaN\"]}")
  }
}
