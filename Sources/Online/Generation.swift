import Columns
import Features
import JSON

/// What is served: the definitions of one commit and the images of its views. Immutable; a server switches from one to another.
package struct Generation: Sendable {
  /// The id of the commit that everything was built from.
  package let commit: String
  package let definitions: DefinitionSet
  /// By the view's name.
  package let images: [String: ViewImage]
  /// Of copies of this value too, since they have the same definitions and images.
  let plans = PlanCache()

  package init(commit: String, definitions: DefinitionSet, images: [String: ViewImage]) {
    self.commit = commit
    self.definitions = definitions
    self.images = images
  }

  /// The greatest build time of its images: questions about earlier times are the commit's to answer.
  package var buildTimeMicros: Int64? { images.values.filter { !$0.descriptor.holdsAlways }.map(\.buildTimeMicros).max() }

  /// What the plan's features are worth for many entities.
  ///
  /// - Parameters:
  ///   - entities: per key of the plan its values, of its type and of equal length.
  ///   - requests: per request field of the plan the same.
  ///   - time: of the question, micros; later rows are not seen.
  /// - Returns: per output of the plan one value per entity.
  /// - Throws: `beforeBuild`; `damaged` when the file of an image was shortened meanwhile; `unprocessable` when a key value does not fit a second view that reads it under another type.
  package func answer(
    _ plan: FeaturePlan, entities: [Column], requests: [Column] = [], at time: Int64
  ) throws(OnlineError) -> [[FeatureValue]] {
    precondition(entities.count == plan.keys.count, "Every key of the plan needs a column")
    precondition(requests.count == plan.requests.count, "Every request field of the plan needs a column")
    let count = (entities.first ?? requests.first)?.count ?? 0
    for use in plan.uses { try use.image.checkWhole() }
    var moments: [[EntityMoment]] = []
    for use in plan.uses {
      var keys: [Column] = []
      for key in use.keys {
        do {
          keys.append(try entities[key.place].cast(to: key.type).cast(to: key.type.entityKeyType))
        } catch {
          throw OnlineError(.unprocessable, "entities.\(plan.keys[key.place].name): \(error)")
        }
      }
      let found = try use.image.entities(keys: keys)
      var these: [EntityMoment] = []
      these.reserveCapacity(count)
      for entity in found { these.append(try use.image.moment(of: entity, at: time)) }
      moments.append(these)
    }
    let lookups = plan.lookups.map { lookup in
      let events = plan.uses[lookup.use].image.events
      return moments[lookup.use].map { events.value(of: lookup.feature, at: $0) }
    }
    for use in plan.uses { try use.image.checkWhole() }
    let computed = plan.computed(lookups, requests: requests, count: count)
    return plan.outputs.map { output in
      switch output.source {
      case .lookup(let index): lookups[index]
      case .onDemand(let index): computed[index]
      }
    }
  }
}
