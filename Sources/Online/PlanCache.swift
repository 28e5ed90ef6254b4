import Synchronization

/// The plans of a generation, so that a request compiles nothing that an earlier one asked for; safe from any thread.
///
/// A plan depends on the generation's definitions and images alone, which never change.
final class PlanCache: Sendable {
  enum Question: Hashable, Sendable {
    case service(String, fullNames: Bool)
    case features([String], fullNames: Bool)
  }

  /// Clients ask for a few services and lists; whoever asks for other ones all the time only loses their plans.
  static let planCountMax = 512

  private let plans = Mutex<[Question: FeaturePlan]>([:])
  private let built = Atomic<Int>(0)

  /// How many plans were made.
  var builtCount: Int { built.load(ordering: .relaxed) }

  /// The plan for a question, made by `build` when it is asked for the first time.
  ///
  /// Requests that ask at once may each build it; failures are not kept.
  /// - Complexity: O(length of the question) for a plan that is known
  func plan(
    for question: Question, _ build: () throws(OnlineError) -> FeaturePlan
  ) throws(OnlineError) -> FeaturePlan {
    if let known = plans.withLock({ $0[question] }) { return known }
    let plan = try build()
    built.add(1, ordering: .relaxed)
    plans.withLock { plans in
      if plans.count >= Self.planCountMax { plans.removeAll(keepingCapacity: true) }
      plans[question] = plan
    }
    return plan
  }
}
